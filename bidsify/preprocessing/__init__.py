"""From cardiac images in scanner geometry to registered training volumes, every step recorded."""
