"""Own elements of the page, written against Streamlit's Components v2."""
