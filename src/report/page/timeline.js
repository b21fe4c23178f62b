/* The charts of a Stormglass report: a column of small charts for each arm, drawn by uPlot from
   #timeline-data into every element with data-charts. Without script the program's own pictures
   stand there. Comes after uPlot and page.js. */
(() => {
  "use strict";
  const { $, $$, element } = stormglass;

  const PLOT_HEIGHT = 84;
  const AXIS_HEIGHT = 22;
  const LEFT = 40; // as the padding of .lanes, so that lanes and charts have one scale
  const RIGHT = 8;
  const COLOURS = 8; // --c1 to --c8; labels after them are dashed
  const CLOCK_STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200];
  const ROLES = { take: "Take", avoid: "Avoid", baseline: "Baseline", or: "Or" };

  // ---- numbers ----------------------------------------------------------------------------------

  function number(value) {
    if (value === null || value === undefined) return "–";
    const size = Math.abs(value);
    const digits = size >= 100 || Number.isInteger(value) ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3;
    return value.toLocaleString("en", { maximumFractionDigits: digits });
  }

  function tick(value) {
    if (Math.abs(value) >= 1000) return `${+(value / 1000).toPrecision(3)}k`;
    return `${+value.toPrecision(3)}`;
  }

  // What the reading of a series says at one window; nothing where the cursor is nowhere.
  function reading(series, i) {
    if (i === null) return "";
    const value = number(series.values[i]);
    if (!series.low || !series.high || series.low[i] === null) return value;
    return `${value} (${number(series.low[i])}–${number(series.high[i])})`;
  }

  const something = (series) => series.values.some((value) => value !== null && value !== 0);

  // Of a stack each series stands on the sum of those before it.
  function stack(series) {
    const sums = series[0].values.map(() => 0);
    return series.map((one) => one.values.map((value, i) => {
      sums[i] += value ?? 0;
      return sums[i];
    }));
  }

  function highest(panel) {
    const drawn = panel.series.filter(something);
    if (drawn.length === 0) return 0;
    const rows = panel.kind === "stacked"
      ? [stack(drawn).pop()]
      : drawn.map((series) => series.high ?? series.values);
    return rows.reduce((most, row) => row.reduce((m, v) => (v > m ? v : m), most), 0);
  }

  // Every label keeps one colour on the whole page, and labels of one panel differ. The program
  // says which (`colour`, from 1, as its static pictures have it); else the first that is free.
  function colourLabels(cells) {
    const panels = new Map();
    const colours = new Map();
    for (const panel of cells.flatMap((cell) => cell.panels)) {
      if (!panels.has(panel.title)) panels.set(panel.title, new Set());
      for (const { label, colour } of panel.series) {
        panels.get(panel.title).add(label);
        if (colour) colours.set(label, colour - 1);
      }
    }
    for (const label of [...panels.values()].flatMap((labels) => [...labels])) {
      if (colours.has(label)) continue;
      const beside = [...panels.values()].filter((labels) => labels.has(label));
      const used = new Set(beside.flatMap((labels) => [...labels].map((one) => colours.get(one))));
      let colour = 0;
      while (used.has(colour)) colour += 1;
      colours.set(label, colour);
    }
    return colours;
  }

  // ---- the charts -------------------------------------------------------------------------------

  class Timeline {
    constructor({ x, cells, clock_s: clock }) {
      this.x = x;
      this.cells = cells;
      this.clock = clock ?? null;
      this.step = x.length > 1 ? x[1] - x[0] : 1;
      this.whole = [Math.max(0, x[0] - this.step / 2), x[x.length - 1] + this.step / 2];
      this.range = this.whole;
      this.colours = colourLabels(cells);
      this.shown = new Set(cells.filter((cell) => cell.role));
      if (this.shown.size === 0) cells.slice(0, 4).forEach((cell) => this.shown.add(cell));
      this.places = $$("[data-charts]");
      this.plots = [];
      this.probe = element("span", { class: "probe", "aria-hidden": "true" });
      document.body.append(this.probe);
    }

    visible() {
      return this.cells.filter((cell) => this.shown.has(cell));
    }

    time(second) {
      if (this.clock === null) return `${+second.toFixed(1)} s`;
      const at = this.clock + second;
      const two = (part) => String(Math.floor(part)).padStart(2, "0");
      const rest = at % 1 ? (at % 1).toFixed(1).slice(1) : "";
      return `${two(at / 3600 % 24)}:${two(at / 60 % 60)}:${two(at % 60)}${rest}`;
    }

    // The opposite of `time`: seconds, or hours, minutes and seconds where there is a clock.
    second(text) {
      const parts = text.replace("s", "").trim().split(":").map(Number);
      if (parts.length === 1) return parts[0];
      const [hours, minutes, seconds = 0] = parts;
      const since = hours * 3600 + minutes * 60 + seconds - (this.clock ?? 0);
      return since < 0 ? since + 24 * 3600 : since; // after midnight
    }

    // Canvas knows no variables: an element that has the colour is asked what it is right now.
    ink(name) {
      this.probe.style.color = `var(--${name})`;
      return getComputedStyle(this.probe).color;
    }
    variable(label) {
      return `c${(this.colours.get(label) % COLOURS) + 1}`;
    }
    dashed(label) {
      return this.colours.get(label) >= COLOURS;
    }

    // Everything is made anew when arms, theme, width or paper change: simple, and fast enough.
    // `k` enlarges: a chart for paper is drawn large and shown small, so that it is sharp.
    build(k) {
      this.plots.forEach((plot) => plot.destroy());
      this.plots = [];
      const tops = new Map();
      for (const panel of this.visible().flatMap((cell) => cell.panels)) {
        tops.set(panel.title, Math.max(tops.get(panel.title) ?? 0, highest(panel)));
      }
      for (const place of this.places) this.fill(place, tops, k);
    }

    fill(place, tops, k) {
      const name = place.dataset.charts;
      const here = this.cells[0].panels.filter((panel) => (panel.place ?? "timeline") === name)
        .map((panel) => panel.title);
      // A row of charts in which nothing ever is would only keep others from being seen.
      const titles = here.filter((title) => tops.get(title) > 0);
      const empty = here.filter((title) => !titles.includes(title));
      const columns = this.visible().map((cell) => this.column(cell, titles, place));
      place.replaceChildren(...columns.map(({ box }) => box));
      if (empty.length) {
        const text = `Nothing throughout in these arms: ${empty.join("; ")}.`;
        place.append(element("p", { class: "note across" }, text));
      }
      // Only now has every column the width that its charts are drawn for.
      for (const { charts } of columns) {
        charts.forEach((chart, i) => {
          const options = { top: tops.get(chart.panel.title) * 1.05, k };
          this.draw(chart, { ...options, last: i === charts.length - 1 });
        });
      }
    }

    column(cell, titles, place) {
      const first = place.dataset.charts === "timeline"; // others stand below a heading of theirs
      const head = element(first ? "h3" : "h4");
      if (cell.role) head.append(element("span", { class: `role ${cell.role}` }, ROLES[cell.role]));
      head.append(cell.role ? " " : "", cell.name);
      const charts = cell.panels.filter((panel) => titles.includes(panel.title))
        .map((panel) => this.chart(cell, panel));
      const box = element("article", { class: "column" }, head);
      if (first) box.append(this.lanes(cell));
      box.append(...charts.map(({ figure }) => figure));
      box.style.setProperty("--rows", box.children.length);
      return { box, charts };
    }

    lanes(cell) {
      const list = element("ul", { class: "lanes", "aria-label": "Faults" });
      const [low, high] = this.range;
      for (const fault of cell.faults) {
        const share = (second) => Math.min(1, Math.max(0, (second - low) / (high - low)));
        const bar = element("span", { class: "bar" });
        bar.style.setProperty("--from", share(fault.from));
        bar.style.setProperty("--to", share(fault.to));
        bar.hidden = fault.to <= low || fault.from >= high;
        const text = `${fault.label}, ${this.time(fault.from)} to ${this.time(fault.to)}`;
        list.append(element("li", {}, text, bar));
      }
      return list;
    }

    chart(cell, panel) {
      const drawn = panel.series.filter(something);
      const values = drawn.map((series) =>
        element("b", { class: series.low && series.high ? "value band" : "value" }));
      const items = drawn.map((series, i) => {
        const swatch = element("span", { class: panel.kind === "line" ? "swatch line" : "swatch" });
        swatch.style.setProperty("--k", `var(--${this.variable(series.label)})`);
        if (this.dashed(series.label)) swatch.style.setProperty("--dash", "dashed");
        return element("li", {}, swatch, series.label, values[i]);
      });
      if (items.length === 0) items.push(element("li", {}, "nothing throughout"));
      const holder = element("div", {
        class: "plot", role: "img", "aria-label": this.summary(cell, panel, drawn),
      });
      const caption = element("figcaption", {}, element("b", {}, panel.title), ` ${panel.unit}`);
      if (panel.source) caption.title = panel.source;
      const legend = element("ul", { class: "legend" }, ...items);
      const figure = element("figure", { class: "chart" }, caption, legend, holder);
      return { figure, holder, cell, panel, drawn, values };
    }

    summary(cell, panel, drawn) {
      const parts = drawn.map((series) => {
        let most = 0;
        series.values.forEach((v, i) => { if (v > (series.values[most] ?? -1)) most = i; });
        const when = this.time(this.x[most]);
        return `${series.label} at most ${number(series.values[most])} at ${when}`;
      });
      const said = parts.length ? parts.join("; ") : "nothing throughout";
      return `${panel.title}, ${panel.unit}, ${cell.name}: ${said}.`;
    }

    // Rows of numbers, how each is drawn, and the bands between them.
    layers({ panel, drawn }, k) {
      const rows = [this.x];
      const series = [{}];
      const bands = [];
      const add = (row, style) => {
        rows.push(row);
        series.push({ points: { show: this.x.length === 1 }, ...style });
      };
      const style = ({ label }) => ({
        stroke: this.ink(this.variable(label)),
        width: 1.5 * k,
        dash: this.dashed(label) ? [5 * k, 3 * k] : undefined,
      });
      if (panel.kind === "stacked" && drawn.length) {
        // From the highest sum to the lowest: what is drawn later covers what lies below it.
        stack(drawn).map((row, i) => [row, style(drawn[i])]).reverse()
          .forEach(([row, look]) => add(row, { ...look, fill: look.stroke, width: k }));
        return { rows, series, bands };
      }
      for (const one of drawn) {
        const look = style(one);
        add(one.values, look);
        if (!one.low || !one.high) continue;
        bands.push({
          series: [rows.length, rows.length + 1],
          fill: look.stroke.replace(/rgba?\((.*?)\)/, "rgba($1, .22)"),
        });
        add(one.high, { width: 0 });
        add(one.low, { width: 0 });
      }
      return { rows, series, bands };
    }

    draw(chart, { top, last, k }) {
      const { rows, series, bands } = this.layers(chart, k);
      const axis = {
        stroke: this.ink("soft"),
        font: `${10 * k}px ${getComputedStyle(document.body).fontFamily}`,
        grid: { stroke: this.ink("line"), width: k / 2 },
        ticks: { show: false },
        gap: 4 * k,
      };
      const plot = new uPlot({
        width: chart.holder.clientWidth * k,
        height: (PLOT_HEIGHT + (last ? AXIS_HEIGHT : 4)) * k,
        padding: [6 * k, RIGHT * k, last ? 0 : 4 * k, 0],
        legend: { show: false },
        cursor: this.cursor(),
        scales: { x: { time: false, range: () => this.range }, y: { range: () => [0, top] } },
        axes: [
          {
            ...axis,
            size: last ? AXIS_HEIGHT * k : 0,
            space: (this.clock === null ? 45 : 70) * k,
            incrs: this.clock === null ? undefined : CLOCK_STEPS,
            values: (u, splits) => splits.map((second) => (last ? this.label(u, second, k) : "")),
          },
          { ...axis, size: LEFT * k, space: 26 * k, values: (_, splits) => splits.map(tick) },
        ],
        series,
        bands,
        hooks: {
          drawClear: [this.shade(chart.cell, this.ink("shade"))],
          setSelect: [(u) => this.zoomTo(u)],
          setCursor: [(u) => this.read(u, chart)],
        },
      }, rows, chart.holder);
      this.plots.push(plot);
    }

    // A time of day is wide: at the right edge it would be cut off.
    label(plot, second, k) {
      const room = plot.over.clientWidth - plot.valToPos(second, "x");
      return this.clock !== null && room < 18 * k ? "" : this.time(second);
    }

    cursor() {
      return {
        y: false,
        points: { show: false },
        drag: { x: true, y: false, setScale: false },
        // The pointer is shown in all charts; what is dragged is passed on by `zoom`.
        sync: {
          key: "stormglass",
          setSeries: false,
          scales: ["x", null],
          filters: { pub: (type) => type === "mousemove" || type === "mouseleave" },
        },
        bind: { dblclick: () => () => { this.zoom(...this.whole); return null; } },
      };
    }

    // Faults are shaded behind the lines, so that cause and effect stand on one another.
    shade(cell, ink) {
      return ({ ctx, bbox, valToPos }) => {
        ctx.save();
        ctx.fillStyle = ink;
        for (const fault of cell.faults) {
          const from = valToPos(Math.max(fault.from, this.range[0]), "x", true);
          const to = valToPos(Math.min(fault.to, this.range[1]), "x", true);
          if (to > from) ctx.fillRect(from, bbox.top, to - from, bbox.height);
        }
        ctx.restore();
      };
    }

    // ---- what the reader does -------------------------------------------------------------------

    read(plot, { drawn, values }) {
      const i = plot.cursor.left >= 0 ? plot.cursor.idx ?? null : null;
      values.forEach((value, s) => { value.textContent = reading(drawn[s], i); });
      $("#timeline-at").textContent = i === null ? "" : this.time(this.x[i]);
      const slider = $("#timeline-second");
      if (i !== null && document.activeElement !== slider) slider.value = i;
    }

    zoomTo(plot) {
      const { left, width } = plot.select;
      if (width < 4) return;
      plot.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
      this.zoom(plot.posToVal(left, "x"), plot.posToVal(left + width, "x"));
    }

    zoom(from, to) {
      const low = Math.max(this.whole[0], Math.min(from, to));
      const high = Math.min(this.whole[1], Math.max(from, to));
      if (high - low >= 2 * this.step) { // false for what is no number, too
        this.range = [low, high];
        this.plots.forEach((plot) => plot.setScale("x", { min: low, max: high }));
        const visible = this.visible();
        for (const place of this.places) {
          $$(".lanes", place).forEach((list, i) => list.replaceWith(this.lanes(visible[i])));
        }
      }
      this.sayRange();
    }

    sayRange() {
      $("#timeline-from").value = this.time(this.range[0]);
      $("#timeline-to").value = this.time(this.range[1]);
      $("#timeline-reset").disabled = this.range.every((end, i) => end === this.whole[i]);
    }

    offerZoom() {
      const [from, to, slider] = ["from", "to", "second"].map((name) => $(`#timeline-${name}`));
      for (const input of [from, to]) {
        input.addEventListener("change", () => {
          this.zoom(this.second(from.value), this.second(to.value));
        });
      }
      $("#timeline-reset").addEventListener("click", () => this.zoom(...this.whole));
      slider.max = this.x.length - 1;
      // The keyboard's pointer: moves the cursor through all charts at once.
      slider.addEventListener("input", () => {
        const second = this.x[Number(slider.value)];
        slider.setAttribute("aria-valuetext", this.time(second));
        for (const plot of this.plots) {
          plot.setCursor({ left: plot.valToPos(second, "x"), top: 1 }, true, false);
        }
      });
      this.sayRange();
    }

    offerArms(redraw) {
      const inputs = this.cells.map(() => element("input", { type: "checkbox" }));
      const show = (wanted) => {
        this.shown = new Set(this.cells.filter(wanted));
        if (this.shown.size === 0) this.shown.add(this.cells[0]);
        tell();
        redraw();
      };
      const tell = () => {
        inputs.forEach((input, i) => { input.checked = this.shown.has(this.cells[i]); });
        $("#timeline-count").textContent = `${this.shown.size} of ${this.cells.length}`;
      };
      inputs.forEach((input, i) => {
        const cell = this.cells[i];
        input.addEventListener("change", () => show((_, at) => inputs[at].checked));
        const label = element("label", {}, input, cell.name);
        if (cell.role) {
          label.append(element("span", { class: `role ${cell.role}` }, ROLES[cell.role]));
        }
        $("#timeline-arms").append(label);
      });
      $("#timeline-all").addEventListener("click", () => show(() => true));
      $("#timeline-answer").addEventListener("click", () => show((cell) => cell.role));
      tell();
    }
  }

  const data = $("#timeline-data");
  if (!data) return;
  const timeline = new Timeline(JSON.parse(data.textContent));
  const onPaper = () => document.documentElement.dataset.print !== undefined;
  const redraw = () => timeline.build(onPaper() ? 2 : 1);
  $$(".needs-script").forEach((box) => { box.hidden = false; });
  timeline.offerArms(redraw);
  timeline.offerZoom();
  redraw();

  // Canvas has fixed colours and pixels: a change of theme, paper or width needs new charts.
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  $$("input[name=theme]").forEach((input) => input.addEventListener("change", redraw));
  addEventListener("beforeprint", redraw);
  addEventListener("afterprint", redraw);
  const [place] = timeline.places;
  let width = place.clientWidth;
  let waiting = 0;
  new ResizeObserver(() => {
    if (place.clientWidth === width || onPaper()) return;
    width = place.clientWidth;
    clearTimeout(waiting);
    waiting = setTimeout(redraw, 120);
  }).observe(place);
})();
