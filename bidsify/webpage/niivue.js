// A case in NiiVue: planes, a rendering, surfaces, and all volumes of a series.
//
// Indices in the readout and in the address (#case=NAME&ijk=I,J,K) are those of the file.
"use strict";

(() => {
  const { cases, geometry, part, label, nifti } = bidsify;
  const panel = document.getElementById("viewer");
  const COLOURS = [[220, 190, 120], [120, 190, 220], [200, 140, 200], [150, 200, 140]];
  let starting = null; // the promise of NiiVue and its classes
  let shown = null; // {case, image}
  let latest = 0; // counts requests, so that a slow one does not replace a later one

  function start() {
    starting ??= (async () => {
      const code = new Blob([await bidsify.unpack("niivue")], { type: "text/javascript" });
      const { Niivue, NVImage, NVMesh } = await import(URL.createObjectURL(code));
      const nv = new Niivue({
        isOrientCube: true,
        isRadiologicalConvention: true,
        loadingText: "",
        dragAndDropEnabled: false,
        backColor: [0, 0, 0, 1],
        show3Dcrosshair: true,
        crosshairWidth: 0.3,
        sagittalNoseLeft: true,
        meshThicknessOn2D: 3, // mm
        meshXRay: 0.3, // surfaces shine through the image
        multiplanarLayout: 2, // planes and rendering in a square
        multiplanarShowRender: 1,
        logLevel: "error",
      });
      await nv.attachToCanvas(part("canvas"));
      nv.setSliceType(nv.sliceTypeMultiplanar);
      nv.onLocationChange = readOut;
      return { nv, NVImage, NVMesh };
    })();
    return starting;
  }

  /** Return the colours of labels, by their places among those of the case: 0 is background. */
  function colourMap(one) {
    const values = [0, ...one.present];
    const colours = values.map((value) => label(one, value).rgb);
    return {
      R: colours.map(([red]) => red),
      G: colours.map(([, green]) => green),
      B: colours.map(([, , blue]) => blue),
      A: values.map((value) => (value ? 255 : 0)),
      I: values.map((_, place) => place),
      labels: values.map((value) => bidsify.wording(one, value)),
    };
  }

  async function show(name, ijk = null, contrast = null) {
    const one = cases.get(name);
    if (!one) return;
    const mine = ++latest;
    panel.hidden = false;
    panel.dataset.state = "loading";
    part("case").textContent = one.name;
    part("note").textContent = one.note;
    try {
      if (!one.shape) throw new Error(one.note);
      const niivue = await start();
      const image = one.images.find((each) => each.contrast === contrast) ?? one.images[0] ?? null;
      const volumes = await load(niivue, one, image);
      const meshes = await surfaces(niivue, one);
      if (mine !== latest) return; // somebody asked for another one meanwhile
      shown = { case: one, image, volumes };
      put(niivue.nv, volumes, meshes);
      listChoices(niivue.nv, meshes);
      moveTo(niivue.nv, ijk);
      panel.dataset.state = "ready";
    } catch (error) {
      if (mine !== latest) return;
      part("note").textContent = `This case cannot be shown: ${error.message}`;
      panel.dataset.state = "failed";
    }
    bidsify.tell("shown", name);
  }

  async function load({ NVImage }, one, image) {
    const volumes = [];
    if (image) {
      const volume = await NVImage.new(await nifti.image(one, image), "image.nii", "gray");
      [volume.cal_min, volume.cal_max] = image.window;
      volumes.push(volume);
    }
    if (one.labels) {
      const volume = await NVImage.new(await nifti.labels(one), "labels.nii", "gray");
      volume.setColormapLabel(colourMap(one));
      volume.opacity = Number(part("opacity").value) / 100;
      volumes.push(volume);
    }
    return volumes;
  }

  async function surfaces({ nv, NVMesh }, one) {
    return Promise.all(
      one.meshes.map(async ({ id, name, turned }, n) => {
        const bytes = await bidsify.unpack(id);
        const colour = new Uint8Array([...COLOURS[n % COLOURS.length], 255]);
        const mesh = await NVMesh.readMesh(bytes.buffer, name, nv.gl, 1, colour);
        if (turned) turn(mesh, nv.gl);
        return mesh;
      }),
    );
  }

  /** Turn a surface from LPS to RAS: the first two coordinates change their sign. */
  function turn(mesh, gl) {
    mesh.pts.forEach((each, place) => {
      if (place % 3 < 2) mesh.pts[place] = -each;
    });
    const { extentsMin: low, extentsMax: high } = mesh;
    mesh.extentsMin = [-high[0], -high[1], low[2]];
    mesh.extentsMax = [-low[0], -low[1], high[2]];
    mesh.updateMesh(gl);
  }

  function put(nv, volumes, meshes) {
    for (const old of [...nv.meshes]) nv.removeMesh(old);
    for (const old of [...nv.volumes]) nv.removeVolume(old);
    for (const volume of volumes) nv.addVolume(volume);
    for (const mesh of meshes) nv.addMesh(mesh);
    nv.setSliceMM(meshes.length > 0); // surfaces need planes in the world, not of the grid
    nv.updateGLVolume();
  }

  function moveTo(nv, ijk) {
    const one = shown.case;
    const inside = geometry.inFile(one, ijk ? geometry.onGrid(one, ijk) : one.start);
    nv.scene.crosshairPos = nv.mm2frac(geometry.mapped(one.affine, inside), 0, true);
    nv.drawScene();
    nv.createOnLocationChange();
  }

  /** Write where the crosshair is, and what is there. */
  function readOut({ mm, values }) {
    if (!shown) return;
    const { case: one, image } = shown;
    const world = [...mm].slice(0, 3);
    // NiiVue counts voxels in an order of its own, so the place in the world is gone by.
    const ijk = geometry.inFile(one, geometry.onGrid(one, geometry.mapped(one.inverse, world)));
    part("ijk").textContent = ijk.join(", ");
    part("mm").textContent = world.map((each) => each.toFixed(1)).join(", ");
    const numbers = values.map((each) => each.value);
    part("value").textContent = image ? bidsify.said(image, numbers[0]) : "no image";
    const place = one.labels ? numbers[image ? 1 : 0] : null;
    part("label").textContent =
      place === null ? "no segmentation" : bidsify.wording(one, [0, ...one.present][place]);
    bidsify.address(one, ijk, image);
  }

  function listChoices(nv, meshes) {
    const { case: one, image } = shown;
    const options = one.images.map((each) => new Option(each.contrast, each.contrast));
    part("contrast").replaceChildren(...options);
    if (image) part("contrast").value = image.contrast;
    part("frame").max = (image?.frames ?? 1) - 1;
    part("frame").value = 0;
    part("frame").disabled = (image?.frames ?? 1) < 2;
    part("meshes").replaceChildren(
      ...meshes.map((mesh) => {
        const box = document.createElement("input");
        box.type = "checkbox";
        box.checked = true;
        box.addEventListener("change", () => {
          nv.setMeshProperty(mesh.id, "visible", box.checked);
        });
        const line = document.createElement("label");
        line.append(box, mesh.name);
        return line;
      }),
    );
  }

  part("opacity").addEventListener("input", async (event) => {
    const { nv } = await start();
    if (shown?.case.labels) nv.setOpacity(nv.volumes.length - 1, Number(event.target.value) / 100);
  });
  part("frame").addEventListener("input", async (event) => {
    const { nv } = await start();
    nv.setFrame4D(nv.volumes[0].id, Number(event.target.value));
    nv.createOnLocationChange();
  });
  part("contrast").addEventListener("change", (event) => {
    show(shown.case.name, null, event.target.value);
  });
  bidsify.follow(show);
})();
