// What the pages do in the browser beyond htmx: ages that tick, the chart, and what tells that a page is live. Without it
// every page can be read and every command given.
'use strict';
(() => {
  const born = new WeakMap();

  // Ages are told by the server and counted on from when they came, whatever the clock here says.
  const words = (s) => {
    if (s < 90) return Math.floor(s) + ' s ago';
    if (s < 5400) return Math.floor(s / 60) + ' min ago';
    if (s < 129600) return Math.floor(s / 3600) + ' h ago';
    return Math.floor(s / 86400) + ' days ago';
  };
  const tick = () => {
    for (const el of document.querySelectorAll('time[data-age]')) {
      if (!born.has(el)) born.set(el, performance.now() - el.dataset.age * 1000);
      const text = words((performance.now() - born.get(el)) / 1000);
      if (el.textContent !== text) el.textContent = text;
    }
  };
  setInterval(tick, 1000);
  document.addEventListener('htmx:afterSettle', tick);

  // Freshness has no event of its own: a page that is looked at asks now and then.
  setInterval(() => {
    if (document.visibilityState === 'visible') document.body.dispatchEvent(new Event('look'));
  }, 5000);

  const live = (on) => {
    const el = document.getElementById('live-state');
    if (!el) return;
    el.dataset.live = on ? 'on' : 'off';
    el.textContent = on ? 'Live' : 'Reconnecting';
  };
  document.addEventListener('htmx:sseOpen', () => live(true));
  document.addEventListener('htmx:sseError', () => live(false));

  // What could not be asked now is asked again, as no event may come after it.
  const again = (e) => setTimeout(() => e.detail.elt.dispatchEvent(new Event('again')), 2000);
  document.addEventListener('htmx:sendError', again);
  document.addEventListener('htmx:responseError', (e) => {
    const { gone } = e.detail.elt.dataset;
    if (e.detail.xhr.status === 404 && gone) location.assign(gone);
    if (e.detail.xhr.status === 429 || e.detail.xhr.status >= 500) again(e);
  });
  // An answer without the part that was asked for is another page, such as that to sign in on.
  document.addEventListener('htmx:beforeSwap', (e) => {
    const { id } = e.detail.target;
    if (!['now', 'unread', 'erasing'].includes(id) || !e.detail.shouldSwap || e.detail.serverResponse.includes(`id="${id}"`)) return;
    e.detail.shouldSwap = false;
    location.reload();
  });

  // The end of a refresh closes its stream: then its page has the result.
  document.addEventListener('htmx:sseClose', (e) => {
    if (e.detail.type === 'message') document.body.dispatchEvent(new Event('refreshed'));
  });

  // What is to be taken elsewhere is copied by a button beside it.
  document.addEventListener('click', async (e) => {
    const button = e.target.closest('[data-copy]');
    if (!button) return;
    const field = document.getElementById(button.dataset.copy);
    field.select();
    try {
      await navigator.clipboard.writeText(field.value);
      button.textContent = 'Copied';
    } catch { /* it is selected */ }
  });

  // Charts are drawn from what their data-chart names, and again when that may have changed.
  const charts = new Map();
  const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const day = (s, year) => new Date(s * 1e3).toLocaleDateString('en-GB', { day: 'numeric', month: 'short', year, timeZone: 'UTC' });
  const figure = (n) => n.toLocaleString('en');
  const draw = (el, data) => {
    const old = charts.get(el);
    if (old) old.destroy();
    el.replaceChildren();
    const last = data.times.length - 1;
    const axis = { stroke: color('--muted'), grid: { stroke: color('--line'), width: 1 }, ticks: { stroke: color('--line'), width: 1 } };
    const lines = [['--accent', []], ['--good', [8, 4]], ['--warn', [2, 4]], ['--info', [12, 4, 2, 4]]];
    const series = data.series.map((s, i) => ({
      label: s.label, stroke: color(lines[i % lines.length][0]), width: 2, dash: lines[i % lines.length][1],
      paths: uPlot.paths.stepped({ align: 1 }), points: { show: false }, value: (u, v, n, at) => figure(s.values[at ?? last] ?? 0),
    }));
    const chart = new uPlot({
      width: el.clientWidth, height: el.clientHeight - 34, tzDate: (ts) => uPlot.tzDate(new Date(ts * 1e3), 'Etc/UTC'),
      cursor: { drag: { x: false, y: false } },
      scales: { y: { range: (u, min, max) => [0, Math.max(1, Math.ceil((max || 0) * 1.1))] } },
      axes: [
        { ...axis, values: (u, all) => all.map((s) => day(s)) },
        { ...axis, size: 60, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 2e4, 5e4, 1e5, 2e5], values: (u, all) => all.map(figure) },
      ],
      series: [{ label: 'Day', value: (u, v, n, at) => day(data.times[at ?? last], 'numeric') }, ...series],
    }, [data.times, ...data.series.map((s) => s.values)], el);
    charts.set(el, chart);
    requestAnimationFrame(() => { // the legend has its height once it is laid out
      if (charts.get(el) !== chart) return;
      chart.setSize({ width: el.clientWidth, height: el.clientHeight - el.querySelector('.u-legend').offsetHeight });
      el.dataset.drawn = 'yes';
    });
  };
  const load = async (el) => {
    try {
      const answer = await fetch(el.dataset.chart, { headers: { Accept: 'application/json' } });
      if (!answer.ok) return;
      el.data = await answer.json();
      draw(el, el.data);
    } catch { /* the table beside it has the figures */ }
  };
  const all = (f) => document.querySelectorAll('[data-chart]').forEach(f);
  let pending = 0;
  const later = (f, ms) => { clearTimeout(pending); pending = setTimeout(() => all(f), ms); };
  addEventListener('resize', () => later((el) => el.data && draw(el, el.data), 150));
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => all((el) => el.data && draw(el, el.data)));
  document.addEventListener('htmx:sseMessage', () => later(load, 1000));
  all(load);
  tick();
})();
