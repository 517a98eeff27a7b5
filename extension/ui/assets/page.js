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
