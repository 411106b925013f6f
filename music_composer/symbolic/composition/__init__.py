"""Composition with a trained model: the models by name, their run folders, whole scores."""
