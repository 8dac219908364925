// The grid, its cameras and events, drawn by Leaflet from our own API; no tiles, no other machine.
import { every } from "./console.js";

const SHAPES = {
  S1: '<circle class="ring" cx="13" cy="13" r="12"/><circle class="e1" cx="13" cy="13" r="7"/>',
  S2: '<path class="e2" d="M13,5l8,8l-8,8l-8,-8z"/>',
  S3: '<rect class="e3" x="8" y="8" width="10" height="10" rx="2"/>',
  S4: '<circle class="e4" cx="13" cy="13" r="4.5"/>',
};
const LABELLED = 40; // cells at most that carry their number

export class GridMap {
  /** options.pick: called with {lng, lat} where the map is clicked. */
  constructor(element, options = {}) {
    this.map = L.map(element, { attributionControl: false, zoomAnimation: false, fadeAnimation: false, markerZoomAnimation: false, inertia: false, zoomSnap: 0.25, minZoom: 9, maxZoom: 19, wheelPxPerZoomLevel: 120 });
    this.map.setView([34.76, 113.65], 13);
    L.control.scale({ imperial: false }).addTo(this.map);
    this.cells = new Map();
    this.events = L.layerGroup().addTo(this.map);
    this.cameras = L.layerGroup().addTo(this.map);
    this.labelled = new Set();
    this.map.on("moveend", () => this.label());
    if (options.pick) this.map.on("click", (e) => options.pick(e.latlng));
    new ResizeObserver(() => this.resize()).observe(element);
    this.ready = this.load();
  }

  async load() {
    const paths = ["/api/v1/grid"];
    if ("desk" in document.body.dataset) paths.push("/api/v1/streams"); // cameras are the desk's
    const [grid, streams = []] = await Promise.all(paths.map(async (path) => (await fetch(path)).json()));
    const drawn = L.geoJSON(grid.features.filter((f) => f.properties.level === 1), {
      style: { className: "cell", weight: 1 },
      onEachFeature: (feature, layer) => this.cells.set(feature.id, layer),
    }).addTo(this.map);
    L.geoJSON(grid.features.filter((f) => f.properties.level > 1), { interactive: false, style: { className: "sec", weight: 1.8 } }).addTo(this.map);
    this.bounds = drawn.getBounds();
    for (const s of streams) if (s.lon !== null) L.circleMarker([s.lat, s.lon], { radius: 4.5, weight: 1.6, fillOpacity: 1, opacity: 1, className: ["online", "ended"].includes(s.state) ? "cam" : "cam off", interactive: false }).addTo(this.cameras);
    this.show(this.wanted || {});
  }

  /** Mark one place: its cell, and the view around it; the whole district without one. */
  show(here) {
    this.wanted = here;
    if (!this.bounds) return;
    for (const layer of every(".here", this.map.getPane("overlayPane"))) layer.classList.remove("here");
    const cell = this.cells.get(here.cell);
    if (cell?.getElement()) {
      cell.getElement().classList.add("here");
      cell.bringToFront();
    }
    if (here.lat !== undefined) this.map.setView([here.lat, here.lon], 15.5, { animate: false });
    else if (this.bounds.isValid()) this.map.fitBounds(this.bounds, { animate: false, padding: [6, 6] });
    this.label();
  }

  /** The events to draw: {number, severity, lon, lat, title}; open is called with a number. */
  draw(events, open) {
    this.events.clearLayers();
    for (const e of events) {
      const icon = L.divIcon({ className: "pin-box", iconSize: [26, 26], html: `<svg class="pin" width="26" height="26" viewBox="0 0 26 26" aria-hidden="true">${SHAPES[e.severity] || SHAPES.S4}</svg>` });
      const marker = L.marker([e.lat, e.lon], { icon, title: e.title, keyboard: Boolean(open), interactive: Boolean(open) }).addTo(this.events);
      marker.getElement().setAttribute("aria-label", e.title);
      if (open) marker.on("click", () => open(e.number));
    }
  }

  resize() {
    this.map.invalidateSize({ animate: false });
    if (this.wanted) this.show(this.wanted);
  }

  label() {
    const view = this.map.getBounds();
    const inside = [...this.cells].filter(([, layer]) => view.contains(layer.getBounds().getCenter()));
    const wanted = new Set(inside.length <= LABELLED ? inside.map(([code]) => code) : []);
    for (const code of this.labelled) if (!wanted.has(code)) this.cells.get(code).unbindTooltip();
    for (const code of wanted) {
      if (this.labelled.has(code)) continue;
      this.cells.get(code).bindTooltip(code.slice(12), { permanent: true, direction: "center", className: "code", interactive: false });
    }
    this.labelled = wanted;
  }
}
