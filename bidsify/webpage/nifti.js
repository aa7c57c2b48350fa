// NIfTI files for a viewer, made in the browser of the volumes of the page.
"use strict";

bidsify.nifti = (() => {
  const FLOAT32 = 16, UINT16 = 512; // how the header names types

  /** Return a NIfTI-1 file with values on the grid of the page. */
  function file(one, values, datatype, frames) {
    const made = new ArrayBuffer(352 + values.byteLength);
    const head = new DataView(made);
    const shorts = (at, numbers) => numbers.forEach((n, i) => head.setInt16(at + 2 * i, n, true));
    const floats = (at, numbers) => numbers.forEach((n, i) => head.setFloat32(at + 4 * i, n, true));
    head.setInt32(0, 348, true);
    shorts(40, [frames > 1 ? 4 : 3, ...one.shape, frames, 1, 1, 1]);
    shorts(70, [datatype, 8 * values.BYTES_PER_ELEMENT]);
    floats(76, [1, ...one.spacing, 1]);
    floats(108, [352, 1, 0]); // where the values begin, slope and intercept
    head.setUint8(123, 2); // millimetres
    shorts(252, [0, 1]); // no qform; an sform in the coordinates of the scanner
    one.affine.forEach((row, n) => {
      floats(280 + 16 * n, [...one.step.map((by, axis) => row[axis] * by), row[3]]);
    });
    [110, 43, 49, 0].forEach((byte, n) => head.setUint8(344 + n, byte)); // "n+1"
    new values.constructor(made, 352).set(values);
    return made;
  }

  /** Return an image as 32-bit floating-point numbers. */
  async function image(one, packed) {
    const stored = await bidsify.unpacked(packed);
    const values = Float32Array.from(stored, (each) => bidsify.valueOf(packed, each));
    return file(one, values, FLOAT32, packed.frames);
  }

  /** Return labels as their places in [0, ...present], as values may be larger than the type. */
  async function labels(one) {
    const places = new Map([0, ...one.present].map((value, place) => [value, place]));
    const stored = await bidsify.unpacked(one.labels);
    const place = (each) => places.get(bidsify.valueOf(one.labels, each));
    return file(one, Uint16Array.from(stored, place), UINT16, 1);
  }

  return { image, labels };
})();
