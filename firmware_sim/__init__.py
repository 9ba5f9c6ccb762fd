"""Meters as another maker would have built them: from the standard alone, sharing no line with their reader."""
