"""Pictures of views: pure functions that return Plotly figures or plain figure data; no Streamlit."""
