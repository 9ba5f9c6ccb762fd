"""Hostile input at the doors that people and programs use: requests, pages, facts, site files, model files."""
