"""Facts outward: MQTT, Home Assistant, the archive. Each part is a sink, ignorant of the others."""
