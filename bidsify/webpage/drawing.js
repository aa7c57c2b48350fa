// Draws a plane on a canvas: grey values, labels over them, and the crosshair.
"use strict";

bidsify.drawing = (() => {
  const { cut, letters, places, scale, toIndex } = bidsify.geometry;

  /** Give a canvas the size of its plane, and write where its sides are. */
  function layOut(canvas, one) {
    const factor = scale(one);
    const { across, down } = cut(one, canvas.dataset.plane);
    canvas.width = Math.max(1, Math.round(across.size * across.spacing * factor));
    canvas.height = Math.max(1, Math.round(down.size * down.spacing * factor));
    const frame = canvas.closest("figure");
    const ends = { left: letters(across)[0], right: letters(across)[1] };
    Object.assign(ends, { top: letters(down)[0], bottom: letters(down)[1] });
    for (const [where, letter] of Object.entries(ends)) {
      frame.querySelector(`[data-end=${where}]`).textContent = letter;
    }
  }

  /**
   * Draw a plane of what is shown: {case, image, voxels, labels, at}. Of the settings, `paints`
   * maps stored numbers of labels to colours; others are low, high, opacity and outlined.
   */
  function draw(canvas, shown, settings) {
    const planar = cut(shown.case, canvas.dataset.plane);
    const found = places(shown.case, planar, shown.at);
    const context = canvas.getContext("2d");
    context.imageSmoothingEnabled = false;
    context.globalAlpha = 1;
    const put = (paint) => {
      const layer = picture(planar, paint);
      context.drawImage(layer, 0, 0, canvas.width, canvas.height);
    };
    put((pixels) => greys(pixels, found, shown, settings));
    if (shown.labels) {
      context.globalAlpha = settings.opacity;
      put((pixels) => colours(pixels, found, shown.labels, planar, settings));
    }
    context.globalAlpha = 1;
    drawCross(context, planar, shown.at);
    const position = shown.at[planar.through.axis] * shown.case.step[planar.through.axis];
    canvas.setAttribute("aria-label", `${canvas.dataset.plane} plane, index ${position}`);
  }

  /** Return a canvas with a pixel for each voxel of a plane; `paint` fills in the colours. */
  function picture({ across, down }, paint) {
    const canvas = new OffscreenCanvas(across.size, down.size);
    const context = canvas.getContext("2d");
    const image = context.createImageData(across.size, down.size);
    paint(image.data);
    context.putImageData(image, 0, 0);
    return canvas;
  }

  function greys(pixels, found, { image, voxels }, { low, high }) {
    const gain = 255 / Math.max(high - low, 1e-12);
    found.forEach((place, pixel) => {
      const value = voxels ? bidsify.valueOf(image, voxels[place]) : NaN;
      const grey = Number.isNaN(value) ? 0 : (value - low) * gain;
      pixels.set([grey, grey, grey, 255], 4 * pixel); // the array clamps to 0 and 255
    });
  }

  function colours(pixels, found, labels, { across, down }, { paints, outlined }) {
    const value = (pixel) => labels[found[pixel]];
    found.forEach((_, pixel) => {
      const paint = paints.get(value(pixel));
      if (!paint) return;
      const x = pixel % across.size;
      const inside =
        x > 0 &&
        x < across.size - 1 &&
        pixel >= across.size &&
        pixel < across.size * (down.size - 1) &&
        [1, -1, across.size, -across.size].every((by) => value(pixel + by) === value(pixel));
      if (!outlined || !inside) pixels.set([...paint, 255], 4 * pixel);
    });
  }

  function drawCross(context, { across, down }, at) {
    const { width, height } = context.canvas;
    const x = ((toIndex(across, at[across.axis]) + 0.5) / across.size) * width;
    const y = ((toIndex(down, at[down.axis]) + 0.5) / down.size) * height;
    context.strokeStyle = "rgba(255, 255, 0, 0.6)";
    context.beginPath();
    context.moveTo(x, 0);
    context.lineTo(x, height);
    context.moveTo(0, y);
    context.lineTo(width, y);
    context.stroke();
  }

  return { layOut, draw };
})();
