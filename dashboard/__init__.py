"""The NASight studio: a Streamlit app over the public door of ``nas_core``.

Direction of imports: pages, components → figures → views → nas_core. A view is frozen data, a figure is a picture of a
view, a page puts both on the screen. ``state`` knows what this tab looks at, ``process`` what this server owns.
"""
