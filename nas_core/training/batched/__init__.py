"""Operations of many networks executed together: how networks of images are trained as a pack."""
