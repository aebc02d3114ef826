package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// run runs a command in the checkout and returns what it prints.
func (k *kit) run(ctx context.Context, env []string, name string, args ...string) ([]byte, error) {
	c := exec.CommandContext(ctx, name, args...)
	c.Dir, c.Env = k.root, append(os.Environ(), env...)
	var stderr bytes.Buffer
	c.Stderr = &stderr
	out, err := c.Output()
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w\n%s", name, args[0], err, strings.TrimSpace(stderr.String()))
	}
	return out, nil
}

// readGo finds which Go builds, and which one the module needs.
func (k *kit) readGo(ctx context.Context) error {
	out, err := k.run(ctx, nil, "go", "env", "GOVERSION")
	if err != nil {
		return err
	}
	k.goFound = strings.TrimSpace(string(out))
	raw, err := os.ReadFile(filepath.Join(k.root, "go.mod"))
	if err != nil {
		return err
	}
	found := regexp.MustCompile(`(?m)^go (\S+)$`).FindSubmatch(raw)
	if found == nil {
		return errors.New("go.mod: names no version of Go")
	}
	k.goNeeded = "go" + string(found[1])
	return nil
}

// readSource takes the list of files from git, so that results and caches stay out, and their content from
// the checkout: what was changed and not committed is part of the kit, and its revision says so.
func (k *kit) readSource(ctx context.Context) error {
	listed, err := k.run(ctx, nil, "git", "ls-files", "--stage", "-z")
	if err != nil {
		return fmt.Errorf("git says which files belong to the kit: %w", err)
	}
	for _, entry := range strings.Split(strings.TrimSuffix(string(listed), "\x00"), "\x00") {
		about, name, _ := strings.Cut(entry, "\t")
		mode, _, _ := strings.Cut(about, " ")
		if mode != "100644" && mode != "100755" {
			return fmt.Errorf("%s: has mode %s, and a kit for all systems takes plain files", name, mode)
		}
		k.source = append(k.source, file{
			name: name, path: filepath.Join(k.root, filepath.FromSlash(name)), executable: mode == "100755",
		})
	}
	commit, err := k.run(ctx, nil, "git", "log", "-1", "--format=%H %ct")
	if err != nil {
		return err
	}
	revision, at, _ := strings.Cut(strings.TrimSpace(string(commit)), " ")
	seconds, err := strconv.ParseInt(at, 10, 64)
	if err != nil {
		return fmt.Errorf("git log: time of the commit: %w", err)
	}
	changed, err := k.run(ctx, nil, "git", "status", "--porcelain")
	if err != nil {
		return err
	}
	if len(changed) > 0 {
		revision += "+dirty"
	}
	k.revision, k.time = revision, time.Unix(seconds, 0).UTC()
	return nil
}
