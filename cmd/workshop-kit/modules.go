package main

import (
	"context"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"strings"
)

// readModules finds what go has to read of other modules for building and testing every package on any of the
// systems. It lets go fill an empty cache from the one of this machine, and takes what is in there then: which
// go.mod files it needs beside the code is its own business.
//
// What a cache has of a module is what a proxy serves (go help goproxy), so a folder of these files is one.
func (k *kit) readModules(ctx context.Context) error {
	out, err := k.run(ctx, nil, "go", "env", "GOMODCACHE", "GOPROXY")
	if err != nil {
		return err
	}
	ours, beyond, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	empty := filepath.Join(k.temp, "modules")
	env := []string{
		"GOMODCACHE=" + empty, "GOPROXY=" + proxyURL(filepath.Join(ours, "cache", "download")) + "," + beyond,
		"GOFLAGS=-mod=readonly -modcacherw", "GOWORK=off",
	}
	for _, system := range systems {
		goos, goarch, _ := strings.Cut(system, "/")
		fmt.Fprintf(k.stderr, "looking for modules of %s\n", system)
		at := append([]string{"GOOS=" + goos, "GOARCH=" + goarch, "CGO_ENABLED=0"}, env...)
		if _, err := k.run(ctx, at, "go", "list", "-deps", "-test", "./..."); err != nil {
			return err
		}
	}
	k.modules, err = served(filepath.Join(empty, "cache", "download"))
	return err
}

// served lists the files of a cache that a proxy serves, under their names in the kit.
func served(cache string) (files []file, err error) {
	err = filepath.WalkDir(cache, func(found string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		within, err := filepath.Rel(cache, found)
		if err != nil {
			return err
		}
		name := filepath.ToSlash(within)
		if isVersion := path.Base(path.Dir(name)) == "@v"; !isVersion {
			return nil
		}
		switch path.Ext(name) {
		case ".info", ".mod", ".zip":
			files = append(files, file{name: "kit/modules/" + name, path: found})
		}
		return nil
	})
	if err == nil && len(files) == 0 {
		err = fmt.Errorf("no modules in %s", cache)
	}
	return files, err
}

// proxyURL is a folder as GOPROXY takes it, where commas and bars stand between proxies.
func proxyURL(folder string) string {
	folder = filepath.ToSlash(folder)
	if !strings.HasPrefix(folder, "/") {
		folder = "/" + folder // C:/Users
	}
	return "file://" + strings.NewReplacer("%", "%25", " ", "%20", ",", "%2C", "|", "%7C", "#", "%23", "?", "%3F").Replace(folder)
}
