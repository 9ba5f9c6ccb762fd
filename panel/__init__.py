"""The panel: shows a mirror of what the edge published and sends requests. It never computes money."""
