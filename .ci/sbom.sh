#!/usr/bin/env bash
# The software bill of materials of a built program: every shared library it loads, the package and version that brought it, the
# licences that package names. Writes SPDX 2.3 (tag-value) and prints a table.   .ci/sbom.sh PROGRAM OUT.spdx
# The same program on the same system gives the same bytes: the creation time is the source's, not the clock's.
set -euo pipefail
program=$1 out=$2
for tool in ldd readelf sha256sum; do
    command -v "$tool" >/dev/null || { echo "sbom: $tool is not installed (Debian: libc-bin, binutils, coreutils)" >&2; exit 1; }
done
version=$("$program" --version | head -n 1)
digest=$(sha256sum "$program" | cut -d' ' -f1)
created=$(date -u -d "@${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || stat -c %Y "$program")}" +%Y-%m-%dT%H:%M:%SZ)
direct=" $(readelf -d "$program" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | tr '\n' ' ')"
# package_of FILE: the Debian package a file belongs to; libraries of merged /usr are known to dpkg by either path
package_of() {
    local hit
    hit=$(dpkg -S "$1" 2>/dev/null || dpkg -S "${1#/usr}" 2>/dev/null || dpkg -S "/usr$1" 2>/dev/null || true)
    head -n 1 <<<"$hit" | sed 's/: .*//'
}
# licences_of PACKAGE: the short names in its copyright file, where that file is machine-readable
licences_of() {
    local file=/usr/share/doc/${1%%:*}/copyright names=
    [ -e "$file" ] && names=$(sed -n 's/^License: *\([^ ]*\).*/\1/p' "$file" | LC_ALL=C sort -u | paste -sd' ')
    echo "${names:-see ${file}}"
}
rows=$(ldd "$program" | sed -n 's/^[ \t]*\([^ ]*\) => \(\/[^ ]*\).*/\1 \2/p' | LC_ALL=C sort -u | while read -r soname path; do
    file=$(readlink -f "$path")
    package=$(package_of "$file")
    found=- licences="unknown: $file belongs to no package"
    if [ -n "$package" ]; then
        found=$(dpkg-query -W -f '${Version}' "$package")
        licences=$(licences_of "$package")
    fi
    how=through
    [[ $direct == *" $soname "* ]] && how=linked
    printf '%s\t%s\t%s\t%s\t%s\t%s\n' "$soname" "$how" "${package:--}" "$found" "$licences" "$(sha256sum "$file" | cut -d' ' -f1)"
done)
{
    cat <<T
SPDXVersion: SPDX-2.3
DataLicense: CC0-1.0
SPDXID: SPDXRef-DOCUMENT
DocumentName: aipm
DocumentNamespace: https://spdx.org/spdxdocs/aipm-$digest
Creator: Tool: aipm make sbom
Created: $created

PackageName: aipm
SPDXID: SPDXRef-aipm
PackageVersion: $version
PackageDownloadLocation: NOASSERTION
FilesAnalyzed: false
PackageChecksum: SHA256: $digest
PackageLicenseDeclared: MIT
Relationship: SPDXRef-DOCUMENT DESCRIBES SPDXRef-aipm
T
    while IFS=$'\t' read -r soname how package found licences sum; do
        id=SPDXRef-$(tr -c 'A-Za-z0-9.\n' - <<<"$soname")
        cat <<T

PackageName: $soname
SPDXID: $id
PackageVersion: $found
PackageSupplier: NOASSERTION
PackageDownloadLocation: NOASSERTION
FilesAnalyzed: false
PackageChecksum: SHA256: $sum
PackageLicenseDeclared: NOASSERTION
PackageLicenseComments: <text>Debian package $package: $licences</text>
Relationship: SPDXRef-aipm $([ "$how" = linked ] && echo DYNAMIC_LINK || echo DEPENDS_ON) $id
T
    done <<<"$rows"
} >"$out.new"
mv "$out.new" "$out"
echo "$version"
awk -F'\t' '{ printf "  %-28s %-8s %-26s %-28s %s\n", $1, $2, $3, $4, (length($5) > 60 ? substr($5, 1, 57) "..." : $5) }' <<<"$rows"
echo "written: $out ($(wc -l <<<"$rows") libraries; 'linked' by the program itself, 'through' by one of those)"
