"use strict";
(() => {
  const root = document.documentElement;
  const button = document.getElementById("theme");
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : dark.matches);
  const label = () => button.setAttribute("aria-pressed", String(isDark()));
  button.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    label();
  });
  dark.addEventListener("change", label);
  button.hidden = false;
  label();

  // A link to a figure's section opens no table; printing opens all, since paper cannot.
  addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((details) => { details.open = true; }));

  const read = (id) => document.getElementById(id).textContent;
  const ink = "var(--ink)", soft = "var(--soft)", line = "var(--line)";
  const config = (width) => ({
    background: null,
    font: getComputedStyle(root).fontFamily,
    view: { stroke: null },
    axis: { labelColor: soft, titleColor: soft, titleFontWeight: "normal", gridColor: line, domainColor: line, tickColor: line, labelFontSize: 12 },
    axisY: { domain: false, ticks: false, labelPadding: 6, labelLimit: Math.max(110, width * 0.36) },
    legend: { labelColor: ink, labelFontSize: 13, symbolStrokeWidth: 3, labelLimit: 140, columnPadding: 14, columns: Math.max(1, Math.floor((width - 60) / 175)) },
    mark: { color: "var(--series-1)" },
    text: { color: ink, fontSize: 12 },
    range: { category: [1, 2, 3, 4, 5, 6].map((number) => `var(--series-${number})`) },
  });

  // The library is packed into the page: unpacking it asks no host.
  async function load() {
    const packed = Uint8Array.from(atob(read("library")), (character) => character.charCodeAt(0));
    const unpacked = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
    const script = document.createElement("script");
    script.textContent = await new Response(unpacked).text();
    document.head.append(script);
  }

  const views = new Map();
  async function draw(charts) {
    for (const place of document.querySelectorAll("[data-chart]")) {
      views.get(place)?.finalize();
      const width = place.clientWidth;
      const spec = structuredClone(charts[place.dataset.chart]);
      // ast: expressions are interpreted, not compiled, which the page's policy forbids.
      const options = { actions: false, renderer: "svg", ast: true, config: config(width), tooltip: { theme: "custom" } };
      views.set(place, await window.vegaEmbed(place, spec, options));
    }
  }

  async function start() {
    const charts = JSON.parse(read("charts"));
    await load();
    await draw(charts);
    let width = root.clientWidth, waiting;
    addEventListener("resize", () => {
      if (root.clientWidth === width) return;
      width = root.clientWidth;
      clearTimeout(waiting);
      waiting = setTimeout(() => draw(charts), 150);
    });
    root.dataset.drawn = "yes";
  }
  start().catch((error) => {
    document.getElementById("failed").hidden = false;
    console.error(error);
  });
})();
