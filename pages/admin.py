"""Operations: what is left today, what is nearly gone, who is resting and why. For signed-in admins only."""

import streamlit as st

from core.app import current
from pages.parts.access import require_admin, sign_out
from pages.parts.gauges import show_gauges, show_limits, show_routes
from pages.parts.overview import show_alerts, show_catalogue, show_headline, show_stale
from pages.parts.waste import show_waste

DAY = 86_400.0

st.set_page_config(layout="wide")
require_admin()

row = st.container(horizontal=True, vertical_alignment="center")
row.title("Operations", width="content")
actions = row.container(horizontal=True, horizontal_alignment="right", vertical_alignment="center")
actions.page_link("interview.py", label="Practice", icon=":material/forum:")
if actions.button("Sign out", type="tertiary", icon=":material/logout:"):
    sign_out()
    st.rerun()


@st.fragment(run_every=30)
def live() -> None:
    require_admin(in_use=False)
    status = current().status.read()
    show_headline(status)
    show_alerts(status)
    show_stale(status, current().fleet.catalog)
    show_gauges(status)
    show_routes(status)
    show_limits(status)
    show_waste(current().history.hours(status.timestamp - DAY), current().fleet.catalog, status.timestamp)
    show_catalogue(status, current().fleet.catalog)


live()
