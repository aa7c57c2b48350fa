// How planes are cut from the grid of a case, and where its voxels are on the screen.
//
// Volumes are on the grid of the page: every step-th voxel of the file, nothing else is changed.
// Pictures follow the convention of radiology: the patient's right is on the left.
"use strict";

bidsify.geometry = (() => {
  const LETTERS = ["LR", "PA", "IS"]; // the ends of the axes of the world, negative end first
  // The axes of the world that a plane shows from left to right, from top to bottom, and lies on.
  const PLANES = { axial: [0, 1, 2], coronal: [0, 2, 1], sagittal: [1, 2, 0] };
  const LARGEST = 340; // pixels of the longest side of a case

  /** Return the voxel of the grid that is nearest to a voxel of the file. */
  const onGrid = (one, ijk) =>
    ijk.map((n, axis) => bidsify.clamp(Math.round(n / one.step[axis]), one.shape[axis] - 1));
  const inFile = (one, at) => at.map((n, axis) => n * one.step[axis]);
  const offset = ({ shape }, at) => at[0] + shape[0] * (at[1] + shape[1] * at[2]);

  /** Apply the rows of an affine to a point. */
  const mapped = (rows, point) =>
    rows.map((row) => point.reduce((sum, each, axis) => sum + row[axis] * each, row[3]));

  /** Return how a plane is cut from the grid: its axes, its size in voxels, and their spacing. */
  function cut({ axes, shape, spacing }, plane) {
    const [across, down, through] = PLANES[plane].map((world) => ({
      world,
      axis: axes[world][0],
      sign: axes[world][1],
      size: shape[axes[world][0]],
      spacing: spacing[axes[world][0]],
    }));
    return { across, down, through };
  }

  // Pictures run towards the negative end of the world: to L or P, and down to P or I.
  const toIndex = (side, pixel) => (side.sign > 0 ? side.size - 1 - pixel : pixel);
  const letters = (side) => [LETTERS[side.world][1], LETTERS[side.world][0]];

  /** Return pixels for each millimetre: the same in all planes. */
  function scale({ shape, spacing }) {
    return LARGEST / Math.max(...shape.map((size, axis) => size * spacing[axis]));
  }

  /** Return the places in a volume of the pixels of a plane, row by row. */
  function places(one, { across, down, through }, position) {
    const found = new Uint32Array(across.size * down.size);
    const at = [0, 0, 0];
    at[through.axis] = position[through.axis];
    let pixel = 0;
    for (let y = 0; y < down.size; y++) {
      at[down.axis] = toIndex(down, y);
      for (let x = 0; x < across.size; x++) {
        at[across.axis] = toIndex(across, x);
        found[pixel++] = offset(one, at);
      }
    }
    return found;
  }

  return { onGrid, inFile, offset, mapped, cut, toIndex, letters, scale, places };
})();
