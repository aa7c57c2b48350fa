// Moves the crosshair of the planes: by click, drag, wheel and keys.
"use strict";

(() => {
  const { clamp, geometry, viewer } = bidsify;
  // Sides of a plane, and in which direction of the picture a key goes.
  const strokes = {
    ArrowLeft: ["across", -1],
    ArrowRight: ["across", 1],
    ArrowUp: ["down", -1],
    ArrowDown: ["down", 1],
    PageUp: ["through", -1],
    PageDown: ["through", 1],
  };

  function place(canvas, event) {
    const { across, down } = viewer.cut(canvas);
    const box = canvas.getBoundingClientRect();
    const pixel = (from, length, size) => clamp(Math.floor((from / length) * size), size - 1);
    const x = pixel(event.clientX - box.left, box.width, across.size);
    const y = pixel(event.clientY - box.top, box.height, down.size);
    viewer.move([across, geometry.toIndex(across, x)], [down, geometry.toIndex(down, y)]);
  }

  /** Move by voxels along a side of a plane, in the direction in which its picture runs. */
  function step(canvas, name, by) {
    const side = viewer.cut(canvas)[name];
    viewer.move([side, viewer.index(side) - side.sign * by]);
  }

  for (const canvas of document.querySelectorAll("#viewer canvas")) {
    canvas.addEventListener("pointerdown", (event) => {
      if (!viewer.isReady()) return;
      canvas.setPointerCapture(event.pointerId);
      place(canvas, event);
    });
    canvas.addEventListener("pointermove", (event) => {
      if (event.buttons && viewer.isReady()) place(canvas, event);
    });
    canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      if (viewer.isReady()) step(canvas, "through", Math.sign(event.deltaY));
    });
    canvas.addEventListener("keydown", (event) => {
      if (!viewer.isReady() || !Object.hasOwn(strokes, event.key)) return;
      event.preventDefault();
      step(canvas, ...strokes[event.key]);
    });
  }
})();
