"""The script that the server runs: page configuration and navigation, then the page."""

from pathlib import Path

import streamlit as st

# A file of our own: an icon by name would be fetched from somebody else's server.
ICON = Path(__file__).with_name("icon.png")

st.set_page_config(page_title="Greenroom: practise interviews", page_icon=str(ICON))

practice = st.Page("interview.py", title="Practice", icon=":material/forum:", default=True)
operations = st.Page("admin.py", title="Operations", icon=":material/monitoring:", url_path="admin")

st.navigation([practice, operations], position="hidden").run()
