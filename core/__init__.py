"""Core: balancing, quotas, and the interview. Never imports streamlit."""
