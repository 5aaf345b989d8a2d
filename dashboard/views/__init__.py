"""Frozen data for the screen, built from ``nas_core`` objects; no Streamlit, no Plotly."""
