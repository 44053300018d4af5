"""Core: balancing, quotas, and the interview. Never imports streamlit.

Scripts may use the five verbs below; everything else is reached through core.app.
"""

from core.facade import (
    check_quota_alerts,
    generate_response,
    generate_resume_analysis,
    generate_text_response,
    get_system_status,
)

__all__ = [
    "check_quota_alerts",
    "generate_response",
    "generate_resume_analysis",
    "generate_text_response",
    "get_system_status",
]
