"""The belt: what owns every pin and bus, and judges. Importable with no hardware present."""
