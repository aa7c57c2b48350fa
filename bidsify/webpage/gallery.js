// The gallery of a report: sorts cards, moves between them, and takes down ratings.
"use strict";

(() => {
  const gallery = document.getElementById("gallery-body");
  const list = document.getElementById("gallery-cards");
  const cards = new Map([...list.children].map((card) => [card.dataset.case, card]));
  const memory = `bidsify ratings: ${bidsify.data.key}`;
  const RATINGS = ["pass", "fail", ""];
  const ratings = new Map(Object.entries(recalled()).map(([name, each]) => [name, sound(each)]));
  let current = null;

  // Ratings: {rating: "pass" | "fail" | "", comment}, by the name of the case.

  function recalled() {
    try {
      return JSON.parse(localStorage.getItem(memory)) ?? {};
    } catch {
      return {}; // a browser may forbid storage to pages from a disk
    }
  }

  /** Return a rating as it must be; what is stored may be damaged. */
  function sound(each) {
    const rating = RATINGS.includes(each?.rating) ? each.rating : "";
    return { rating, comment: typeof each?.comment === "string" ? each.comment : "" };
  }

  function keep() {
    try {
      localStorage.setItem(memory, JSON.stringify(Object.fromEntries(ratings)));
    } catch {
      // the download still has them
    }
  }

  function ratingOf(name) {
    return sound(ratings.get(name));
  }

  function rate(name, change) {
    ratings.set(name, { ...ratingOf(name), ...change });
    keep();
    showRating(name);
    showCounts();
  }

  function toggle(name, rating) {
    rate(name, { rating: ratingOf(name).rating === rating ? "" : rating });
  }

  function showRating(name) {
    const card = cards.get(name);
    const { rating, comment } = ratingOf(name);
    card.dataset.rating = rating;
    for (const button of card.querySelectorAll("button[data-rate]")) {
      button.setAttribute("aria-pressed", String(button.dataset.rate === rating));
    }
    const field = card.querySelector("input");
    if (field !== document.activeElement) field.value = comment;
  }

  function showCounts() {
    const given = [...cards.keys()].map((name) => ratingOf(name).rating);
    const count = (rating) => given.filter((each) => each === rating).length;
    document.getElementById("gallery-counts").textContent =
      `${count("pass")} pass, ${count("fail")} fail, ${count("")} not rated`;
  }

  /** Return the ratings as a table, all cases in the order of their names. */
  function table() {
    const cell = (text) => text.replace(/\s+/g, " ").trim() || "n/a";
    const rows = bidsify.data.cases.map((each) => {
      const { rating, comment } = ratingOf(each.name);
      return [`sub-${each.subject}`, each.name, rating, comment].map(cell).join("\t");
    });
    return ["participant_id\tcase\trating\tcomment", ...rows, ""].join("\n");
  }

  function download() {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([table()], { type: "text/tab-separated-values" }));
    link.download = "desc-qc_ratings.tsv";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }

  // Order, and the card that the keys speak of.

  const worst = (card) => -Number(card.dataset.score);
  const orders = {
    score: (one, other) => worst(one) - worst(other) || byName(one, other),
    name: byName,
    rating: (one, other) => rank(one) - rank(other) || byName(one, other),
  };

  function byName(one, other) {
    return one.dataset.case < other.dataset.case ? -1 : 1;
  }

  function rank(card) {
    return ["fail", "", "pass"].indexOf(card.dataset.rating ?? "");
  }

  function sort(order) {
    list.append(...[...list.children].sort(orders[order]));
  }

  function select(name, scroll = true) {
    if (!cards.has(name)) return;
    current?.removeAttribute("aria-current");
    current = cards.get(name);
    current.setAttribute("aria-current", "true");
    if (scroll) current.scrollIntoView({ block: "nearest" });
  }

  function move(by) {
    const shown = [...list.children];
    const next = shown.indexOf(current) + by;
    const card = shown[Math.min(Math.max(next, 0), shown.length - 1)];
    select(card.dataset.case);
    if (!document.getElementById("viewer").hidden) bidsify.tell("show", card.dataset.case);
  }

  const keys = {
    j: () => move(1),
    k: () => move(-1),
    p: () => current && toggle(current.dataset.case, "pass"),
    f: () => current && toggle(current.dataset.case, "fail"),
    c: () => current?.querySelector("input").focus(),
    v: () => current && bidsify.tell("show", current.dataset.case),
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.matches("input[type=text], input[type=number], select")) {
      if (event.key === "Escape" || event.key === "Enter") event.target.blur();
      return;
    }
    if (Object.hasOwn(keys, event.key)) {
      event.preventDefault(); // so that "c" is not typed into the field that it opens
      keys[event.key]();
    }
  });

  list.addEventListener("click", (event) => {
    const card = event.target.closest("[data-case]");
    if (!card) return;
    select(card.dataset.case, false);
    const button = event.target.closest("button");
    if (button?.dataset.rate) toggle(card.dataset.case, button.dataset.rate);
    if (button?.dataset.show !== undefined) bidsify.tell("show", card.dataset.case);
  });

  list.addEventListener("input", (event) => {
    const card = event.target.closest("[data-case]");
    if (card) rate(card.dataset.case, { comment: event.target.value });
  });

  document.addEventListener("bidsify:shown", (event) => select(event.detail, false));
  document.getElementById("gallery-order").addEventListener("change", (event) => {
    sort(event.target.value);
  });
  document.getElementById("gallery-contours").addEventListener("change", (event) => {
    gallery.classList.toggle("bare", !event.target.checked);
  });
  document.getElementById("gallery-download").addEventListener("click", download);

  for (const name of cards.keys()) showRating(name);
  showCounts();
  sort("score");
  gallery.dataset.state = "ready";
})();
