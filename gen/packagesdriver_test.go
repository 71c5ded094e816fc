package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/tools/go/packages"
)

// packagesDriver is a program that answers golang.org/x/tools/go/packages in place of the
// go command. The generator asks about the same packages of the SDK and of the standard
// library in every case, and the go command would read all of their source each time.
//
// It only knows modules with the go.mod of testdata/library. About everything else, the
// go command is asked.
const packagesDriver = `#!/bin/sh
known() {
	[ "$GOFLAGS" = -mod=mod ] && [ ! -e go.work ] && [ ! -e vendor ] || return 1
	cmp -s go.mod "$PACKAGES/go.mod" || cmp -s go.mod "$PACKAGES/untidy.mod" || return 1
	for path; do
		grep -qxF -e "$path" "$PACKAGES/known" || return 1
	done
}
if known "$@"; then
	cat "$PACKAGES/response.json"
else
	echo '{"NotHandled": true}'
fi
`

// writePackagesDriver writes the driver, and the answer of the go command for a module
// with this go.mod. It returns the driver's environment.
func writePackagesDriver(t *testing.T, goMod []byte) []string {
	t.Helper()
	if runtime.GOOS == "windows" { // it starts no shell scripts
		return []string{"GOPACKAGESDRIVER=off"}
	}
	dir := t.TempDir()
	write := func(name string, data []byte, mode os.FileMode) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, data, mode); err != nil {
			t.Fatal(err)
		}
		return file
	}
	write("go.mod", goMod, 0o666)
	write("untidy.mod", goMod, 0o666) // the go command writes to go.mod what is missing there
	pkgs, err := packages.Load(&packages.Config{
		Dir: dir, Env: append(os.Environ(), "GOFLAGS=-mod=mod", "GOPROXY=off", "GOWORK=off", "GOPACKAGESDRIVER=off"),
		Mode: packages.NeedName | packages.NeedExportFile | packages.NeedImports | packages.NeedDeps,
	}, "net/http", runtimePath, runtimePath+"/value", runtimePath+"/wire")
	if err != nil {
		t.Fatal(err)
	}
	res := packages.DriverResponse{Compiler: "gc", Arch: runtime.GOARCH}
	var known strings.Builder
	packages.Visit(pkgs, nil, func(p *packages.Package) {
		if len(p.Errors) > 0 || p.ExportFile == "" && p.PkgPath != "unsafe" {
			t.Fatalf("%s has no export data: %v", p.PkgPath, p.Errors)
		}
		res.Packages = append(res.Packages, p)
		res.Roots = append(res.Roots, p.ID)
		known.WriteString(p.PkgPath + "\n")
	})
	data, err := json.Marshal(res)
	if err != nil {
		t.Fatal(err)
	}
	write("response.json", data, 0o666)
	write("known", []byte(known.String()), 0o666)
	return []string{"PACKAGES=" + dir, "GOPACKAGESDRIVER=" + write("driver", []byte(packagesDriver), 0o777)}
}
