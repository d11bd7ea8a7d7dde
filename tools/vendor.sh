#!/bin/sh
# Fetch the vendored browser assets again, by exact version. Only for whoever raises a version:
# the files are committed, and neither running nor testing the hospital needs Node.
#
#   tools/vendor.sh            writes hospital/ui/static/vendor, tests/browser/vendor,
#                              wechat_sandbox/phone/static/vendor, and VENDOR.md in each
#
# Source-map comments are stripped: the maps are not shipped, and the hashed static storage
# refuses a file that names a missing one.
set -eu

weui=2.6.26
tabler=1.6.1
icons=3.51.0
axe=4.14.1
jsqr=1.4.0

cd "$(dirname "$0")/.."
shipped=hospital/ui/static/vendor
testing=tests/browser/vendor
phone=wechat_sandbox/phone/static/vendor
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fetch() { # name version folder
  echo "fetching $1 $2"
  (cd "$work" && npm pack --silent "$1@$2" >packed && mkdir "$3" && tar xzf "$(cat packed)" -C "$3" --strip-components 1)
}

keep() { # source target
  mkdir -p "$(dirname "$2")"
  sed -e 's|/\*# sourceMappingURL=[^*]*\*/||' -e 's|^//# sourceMappingURL=.*$||' "$1" >"$2"
}

fetch weui $weui weui
fetch @tabler/core $tabler tabler
fetch @tabler/icons $icons icons
fetch axe-core $axe axe
fetch jsqr $jsqr jsqr

rm -rf "$shipped" "$testing" "$phone"
keep "$work/weui/dist/style/weui.min.css" "$shipped/weui-$weui/weui.min.css"
keep "$work/weui/LICENSE.txt" "$shipped/weui-$weui/LICENSE"
keep "$work/tabler/dist/css/tabler.min.css" "$shipped/tabler-$tabler/tabler.min.css"
keep tools/licences/tabler-core "$shipped/tabler-$tabler/LICENSE"
.venv/bin/python tools/icon_sprite.py "$work/icons/icons/outline" tools/icons.txt \
  "$shipped/tabler-icons-$icons/sprite.svg"
keep "$work/icons/LICENSE" "$shipped/tabler-icons-$icons/LICENSE"
keep "$work/axe/axe.min.js" "$testing/axe-core-$axe/axe.min.js"
keep "$work/axe/LICENSE" "$testing/axe-core-$axe/LICENSE"
keep "$work/jsqr/dist/jsQR.js" "$phone/jsqr-$jsqr/jsQR.js"
keep "$work/jsqr/LICENSE" "$phone/jsqr-$jsqr/LICENSE"

table() { # folder, then lines "path|name|version|licence"
  {
    echo "# Vendored files"
    echo
    echo "Written by \`tools/vendor.sh\`; do not edit. Source-map comments are removed, nothing else."
    echo
    echo "| file | package | version | licence | sha256 |"
    echo "|---|---|---|---|---|"
    while IFS='|' read -r path name version licence; do
      echo "| $path | $name | $version | $licence | $(sha256sum "$1/$path" | cut -d' ' -f1) |"
    done
  } >"$1/VENDOR.md"
}

table "$shipped" <<LIST
weui-$weui/weui.min.css|weui|$weui|MIT
tabler-$tabler/tabler.min.css|@tabler/core|$tabler|MIT
tabler-icons-$icons/sprite.svg|@tabler/icons|$icons|MIT
LIST
table "$testing" <<LIST
axe-core-$axe/axe.min.js|axe-core|$axe|MPL-2.0
LIST
table "$phone" <<LIST
jsqr-$jsqr/jsQR.js|jsqr|$jsqr|Apache-2.0
LIST
echo "done: $shipped, $testing, $phone"
