// picture.mjs IN.ansi OUT.png TITLE: what a terminal's screen held (as
// tmux capture-pane -e writes it), as a picture. Draws with the Chromium that
// CHROMIUM names, through the driver below DRIVER.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

const [from, to, title] = process.argv.slice(2);
const { chromium } = createRequire(path.join(process.env.DRIVER, 'package.json'))('playwright-core');

// The colours of a terminal that has not been told any.
const names = ['#1c1f26', '#e06c75', '#98c379', '#e5c07b', '#61afef', '#c678dd', '#56b6c2', '#d7dae0', '#5c6370', '#ff8b92', '#b5e08f', '#ffd68a', '#82c4ff', '#dda0f0', '#7fd8e0', '#ffffff'];
const cube = n => {
  if (n < 16) {
    return names[n];
  }
  if (n > 231) {
    const v = 8 + (n - 232) * 10;
    return `rgb(${v},${v},${v})`;
  }
  const part = k => [0, 95, 135, 175, 215, 255][Math.floor((n - 16) / k) % 6];
  return `rgb(${part(36)},${part(6)},${part(1)})`;
};

let style = {};
/** Takes over the numbers of one escape sequence. */
function apply(sequence) {
  const n = sequence === '' ? [0] : sequence.replaceAll(':', ';').split(';').map(Number);
  for (let i = 0; i < n.length; i++) {
    const c = n[i];
    if (c === 0) style = {};
    else if (c === 1) style.bold = true;
    else if (c === 3) style.italic = true;
    else if (c === 4) style.underline = true;
    else if (c === 7) style.reverse = true;
    else if (c === 22) style.bold = false;
    else if (c === 23) style.italic = false;
    else if (c === 24) style.underline = false;
    else if (c === 27) style.reverse = false;
    else if (c === 39) delete style.fg;
    else if (c === 49) delete style.bg;
    else if (c === 38 || c === 48 || c === 58) {
      const key = { 38: 'fg', 48: 'bg', 58: 'line' }[c];
      if (n[i + 1] === 2) {
        style[key] = `rgb(${n[i + 2]},${n[i + 3]},${n[i + 4]})`;
        i += 4;
      } else {
        style[key] = cube(n[i + 2]);
        i += 2;
      }
    } else if (c >= 30 && c <= 37) style.fg = names[c - 30];
    else if (c >= 90 && c <= 97) style.fg = names[c - 82];
    else if (c >= 40 && c <= 47) style.bg = names[c - 40];
    else if (c >= 100 && c <= 107) style.bg = names[c - 92];
  }
}

const escaped = s => s.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
const css = () => {
  const [fg, bg] = style.reverse ? [style.bg ?? '#14161b', style.fg ?? '#e0e2ea'] : [style.fg, style.bg];
  return [fg && `color:${fg}`, bg && `background:${bg}`, style.bold && 'font-weight:bold', style.italic && 'font-style:italic', style.underline && 'text-decoration:underline'].filter(Boolean).join(';');
};
let body = '';
for (const piece of readFileSync(from, 'utf8').trimEnd().split(/(\x1b\[[0-9;:]*m|\n)/)) {
  const sequence = /^\x1b\[([0-9;:]*)m$/.exec(piece);
  if (sequence !== null) {
    apply(sequence[1]);
  } else if (piece === '\n') {
    body += piece;
  } else if (piece !== '') {
    body += `<span style="${css()}">${escaped(piece)}</span>`;
  }
}

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: ['--headless', '--no-sandbox', '--disable-gpu'] });
try {
  const page = await browser.newPage({ viewport: { width: 1200, height: 800 } });
  await page.setContent(`<!doctype html><meta charset="utf-8"><style>
    body { margin: 0; background: transparent; }
    figure { margin: 0; display: inline-block; background: #14161b; border-radius: 8px; overflow: hidden; border: 1px solid #33363d; }
    figcaption { font: 12px 'DejaVu Sans', sans-serif; color: #a0a4ad; background: #22252c; padding: 6px 12px; text-align: center; }
    pre { margin: 0; padding: 10px 12px; font: 13px/17px 'DejaVu Sans Mono', monospace; color: #e0e2ea; }
    pre span { display: inline-block; height: 17px; vertical-align: top; white-space: pre; }
  </style><figure><figcaption>${escaped(title)}</figcaption><pre>${body}</pre></figure>`);
  await page.locator('figure').screenshot({ path: to, omitBackground: true });
} finally {
  await browser.close();
}
