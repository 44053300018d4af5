"""The script that the server runs: page configuration and navigation, then the page."""

import streamlit as st

st.set_page_config(page_title="Greenroom: practise interviews", page_icon=":material/theater_comedy:")

practice = st.Page("interview.py", title="Practice", icon=":material/forum:", default=True)
operations = st.Page("admin.py", title="Operations", icon=":material/monitoring:", url_path="admin")

st.navigation([practice, operations], position="hidden").run()
