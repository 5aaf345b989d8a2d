"""Operations of many networks executed together: how networks of images and of sequences are trained as packs."""
