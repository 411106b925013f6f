"""Composing with a trained model of notes: the models by name, their run folders, whole scores."""
