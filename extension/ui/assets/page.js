// Seeking, and marking what the player shows. One delegated listener each, so that re-drawn parts need none of their own.
(() => {
  const player = () => document.querySelector("#tt-player video");

  function seek(toS) {
    const video = player();
    if (!video) return;
    const go = () => { video.currentTime = toS; };
    if (video.readyState > 0) go();
    else video.addEventListener("loadedmetadata", go, { once: true });
    const box = video.getBoundingClientRect();
    if (box.top < 0 || box.bottom > window.innerHeight) video.scrollIntoView({ block: "center", behavior: "smooth" });
  }

  function onPick(event) {
    const target = event.target.closest && event.target.closest("[data-seek]");
    if (!target) return;
    const toS = Number.parseFloat(target.dataset.seek);
    if (!Number.isFinite(toS)) return;
    event.preventDefault();
    seek(toS);
  }

  document.addEventListener("click", (event) => {
    const isSelecting = event.target.closest && event.target.closest("td") && String(window.getSelection());
    if (!isSelecting) onPick(event);
  });
  document.addEventListener("keydown", (event) => {
    if ((event.key === "Enter" || event.key === " ") && event.target.matches("tr[data-seek]")) onPick(event);
  });

  // Media events do not bubble; the capture phase sees them all the same.
  for (const name of ["timeupdate", "seeked"]) {
    document.addEventListener(name, (event) => {
      if (event.target !== player()) return;
      const nowS = event.target.currentTime + 0.01;
      for (const row of document.querySelectorAll(".tt-row")) {
        row.classList.toggle("tt-now", nowS >= Number(row.dataset.seek) && nowS < Number(row.dataset.until));
      }
    }, true);
  }
  for (const name of ["error", "loadedmetadata"]) {
    document.addEventListener(name, (event) => {
      if (event.target !== player()) return;
      const notice = document.querySelector("#tt-player .tt-no-play");
      if (notice) notice.hidden = name !== "error";
    }, true);
  }
})();

// Stepping from event to event: each is shown from a little before its start, for as long as the visitor wants.
(() => {
  const player = () => document.querySelector("#tt-player video");
  const field = (name) => document.querySelector(`#tt-steps [name=${name}]`);
  const seconds = (name) => Math.max(0, Number.parseFloat(field(name)?.value) || 0);
  const isSkipping = () => Boolean(field("only_events")?.checked);
  const TINY_S = 0.05;
  // The event that a step led to, until the visitor moves the player by other means.
  let visited = null;
  let target = null;

  function moments(video) {
    const spans = JSON.parse(document.querySelector("#tt-timeline .tt-moments")?.dataset.moments || "[]");
    const endS = Number.isFinite(video.duration) ? video.duration : Infinity;
    return spans.map(([startS]) => ({
      startS,
      fromS: Math.min(Math.max(0, startS - seconds("pre_roll")), endS),
      untilS: Math.min(startS + Math.max(seconds("play_length"), 0.5), endS),
    }));
  }

  function show(video, known, index) {
    visited = index;
    target = known[index].fromS;
    video.currentTime = target;
  }

  function step(by) {
    const video = player();
    if (!video) return;
    const known = moments(video);
    if (!known.length) return;
    const nowS = video.currentTime;
    const wasThere = visited !== null && visited < known.length && nowS < known[visited].untilS + 1;
    let index;
    if (by > 0) {
      const ahead = known.findIndex((moment) => moment.startS > nowS - TINY_S);
      index = wasThere ? visited + 1 : ahead < 0 ? known.length : ahead;
    } else {
      index = wasThere ? visited - 1 : known.filter((moment) => moment.startS < nowS - TINY_S).length - 1;
    }
    // At either end there is no further event: the last one, or the first, is shown again.
    show(video, known, Math.min(Math.max(index, 0), known.length - 1));
  }

  // While only events are played: what lies between two of them is jumped over, and after the last one it stops.
  let isWatching = false;
  function watch() {
    if (isWatching) return;
    isWatching = true;
    requestAnimationFrame(skip);
  }

  function skip() {
    const video = player();
    isWatching = Boolean(video) && isSkipping() && !video.paused;
    if (!isWatching) return;
    requestAnimationFrame(skip);
    if (video.seeking) return;
    const known = moments(video);
    const nowS = video.currentTime;
    const index = known.findIndex((moment) => moment.untilS > nowS + TINY_S);
    if (index < 0) video.pause();
    else if (nowS < known[index].fromS - TINY_S) show(video, known, index);
  }

  function playEvents() {
    const video = player();
    const known = video ? moments(video) : [];
    if (!known.length) return;
    show(video, known, 0);
    video.play().catch(() => {});
    watch();
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest && event.target.closest("[data-step]");
    if (button) step(Number(button.dataset.step));
  });
  document.addEventListener("change", (event) => {
    if (event.target === field("only_events") && isSkipping()) playEvents();
  });
  document.addEventListener("seeking", (event) => {
    if (event.target === player() && Math.abs(event.target.currentTime - target) > TINY_S) visited = null;
  }, true);
  document.addEventListener("loadstart", (event) => {
    if (event.target === player()) visited = null;
  }, true);
  document.addEventListener("play", (event) => {
    const video = event.target;
    if (video !== player() || !isSkipping()) return;
    const known = moments(video);
    if (known.length && video.currentTime > known.at(-1).untilS - 2 * TINY_S) show(video, known, 0);
    watch();
  }, true);
})();
