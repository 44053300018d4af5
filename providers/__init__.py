"""Providers: how each AI service is spoken to, and what its free tier allows."""
