"""The door: pages, JSON API and health check on one server.

`streamlit run streamlit_app.py`, or `uvicorn streamlit_app:app` from any directory.
"""

import sys
from pathlib import Path

import streamlit as st
from streamlit import config

ROOT = Path(__file__).resolve().parent
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from core.api import routes  # noqa: E402 (the path above comes first)
from core.app import current  # noqa: E402
from core.settings import BadSetting  # noqa: E402
from pages.parts.trouble import show_trouble  # noqa: E402

# st.App would look for .streamlit/config.toml beside its script, in pages/. Under `streamlit run` this is set
# already; under uvicorn it is not, and without it errors would be shown in full and the theme be lost.
config._main_script_path = config._main_script_path or str(ROOT / "streamlit_app.py")

try:
    _ = current().access
except BadSetting as error:
    sys.exit(f"Greenroom cannot start: {error}")

app = st.App(ROOT / "pages" / "shell.py", routes=routes(current), on_script_error=show_trouble)
