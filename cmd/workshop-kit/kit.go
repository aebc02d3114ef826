package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// systems are those that laptops in a room have.
var systems = []string{"linux/amd64", "linux/arm64", "darwin/arm64", "darwin/amd64", "windows/amd64"}

// top is the folder that an archive unpacks into.
const top = "lambdakappa"

// A kit is what the archives of all systems have in common.
type kit struct {
	root     string // of the checkout
	revision string
	time     time.Time // of every file: the commit's
	source   []file
	modules  []file
	goFound  string // version that builds
	goNeeded string // version that go.mod names

	temp   string
	stderr io.Writer
}

// newKit collects what all archives have in common. Its temporary files are there until close.
func newKit(ctx context.Context, root string, stderr io.Writer) (k *kit, err error) {
	k = &kit{root: root, stderr: stderr}
	if k.temp, err = os.MkdirTemp("", "workshop-kit-"); err != nil {
		return nil, err
	}
	for _, step := range []func(context.Context) error{k.readGo, k.readSource, k.readModules} {
		if err := step(ctx); err != nil {
			return nil, errors.Join(err, k.close())
		}
	}
	return k, nil
}

func (k *kit) close() error { return os.RemoveAll(k.temp) }

// build writes the archive of a system.
func (k *kit) build(ctx context.Context, system, out string) (path string, size int64, err error) {
	goos, goarch, ok := strings.Cut(system, "/")
	if !ok || !slices.Contains(systems, system) {
		return "", 0, fmt.Errorf("is none of %s", strings.Join(systems, ", "))
	}
	fmt.Fprintf(k.stderr, "building for %s\n", system)
	binary, err := k.binary(ctx, goos, goarch)
	if err != nil {
		return "", 0, err
	}
	files := slices.Concat(k.source, k.modules, []file{binary}, k.texts(goos, goarch))
	if err := os.MkdirAll(out, 0o755); err != nil {
		return "", 0, err
	}
	path = filepath.Join(out, "lambdakappa-workshop-"+goos+"-"+goarch)
	if goos == "windows" {
		path += ".zip"
		size, err = writeArchive(path, files, k.time, newZip)
	} else {
		path += ".tar.gz"
		size, err = writeArchive(path, files, k.time, newTar)
	}
	return path, size, err
}

// binary builds the program of a system. Neither paths of this machine nor the time are in it.
func (k *kit) binary(ctx context.Context, goos, goarch string) (file, error) {
	name := "bin/lambdakappa"
	if goos == "windows" {
		name += ".exe"
	}
	path := filepath.Join(k.temp, goos+"-"+goarch)
	_, err := k.run(ctx, []string{"GOOS=" + goos, "GOARCH=" + goarch, "CGO_ENABLED=0", "GOFLAGS="},
		"go", "build", "-trimpath", "-buildvcs=true", "-ldflags=-s -w", "-o", path, "./cmd/lambdakappa")
	return file{name: name, path: path, executable: true}, err
}
