package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// unpacked is an entry of an archive as it comes out.
type unpacked struct {
	name, content string
	mode          fs.FileMode
	at            time.Time
}

// open reads an archive of either kind.
func open(t *testing.T, path string) (all []unpacked) {
	t.Helper()
	raw, err := os.ReadFile(path)
	require.NoError(t, err)
	if strings.HasSuffix(path, ".zip") {
		r, err := zip.NewReader(bytes.NewReader(raw), int64(len(raw)))
		require.NoError(t, err)
		for _, f := range r.File {
			in, err := f.Open()
			require.NoError(t, err)
			content, err := io.ReadAll(in)
			require.NoError(t, err)
			all = append(all, unpacked{f.Name, string(content), f.Mode(), f.Modified.UTC()})
		}
		return all
	}
	packed, err := gzip.NewReader(bytes.NewReader(raw))
	require.NoError(t, err)
	for r := tar.NewReader(packed); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return all
		}
		require.NoError(t, err)
		content, err := io.ReadAll(r)
		require.NoError(t, err)
		all = append(all, unpacked{h.Name, string(content), h.FileInfo().Mode(), h.ModTime.UTC()})
	}
}

// Ensure that the same files make the same archive, whatever order and times they have, and that they come out
// as they went in.
func TestArchivesAreDeterministic(t *testing.T) {
	at := time.Date(2026, 11, 30, 12, 0, 1, 0, time.UTC)
	dir := t.TempDir()
	program := filepath.Join(dir, "program")
	require.NoError(t, os.WriteFile(program, []byte("ELF"), 0o600))
	deep := "kit/modules/" + strings.Repeat("long/", 40) + "@v/v1.zip"
	files := []file{{name: "bin/x", path: program, executable: true}, {name: "a.txt", text: "text"}, {name: deep, text: "PK"}}
	for name, kind := range map[string]func(io.Writer) archive{"a.tar.gz": newTar, "a.zip": newZip} {
		first, second := filepath.Join(dir, "1"+name), filepath.Join(dir, "2"+name)
		size, err := writeArchive(first, files, at, kind)
		require.NoError(t, err)
		now := time.Now()
		require.NoError(t, os.Chtimes(program, now, now))
		files[0], files[2] = files[2], files[0]
		_, err = writeArchive(second, files, at, kind)
		require.NoError(t, err)
		a, err := os.ReadFile(first)
		require.NoError(t, err)
		b, err := os.ReadFile(second)
		require.NoError(t, err)
		require.Equal(t, a, b)
		require.EqualValues(t, len(a), size)
		require.Equal(t, []unpacked{
			{"lambdakappa/a.txt", "text", 0o644, at},
			{"lambdakappa/bin/x", "ELF", 0o755, at},
			{"lambdakappa/" + deep, "PK", 0o644, at},
		}, open(t, first))
	}
}

// Ensure that an archive that cannot be whole does not appear.
func TestBrokenArchivesDoNotAppear(t *testing.T) {
	f := func(want string, files ...file) {
		t.Helper()
		to := filepath.Join(t.TempDir(), "a.zip")
		_, err := writeArchive(to, files, time.Now(), newZip)
		require.ErrorContains(t, err, want)
		left, err := os.ReadDir(filepath.Dir(to))
		require.NoError(t, err)
		require.Empty(t, left)
	}
	f("pack gone: ", file{name: "a", text: "text"}, file{name: "gone", path: "/gone"})
	f("a: is there twice", file{name: "a", text: "text"}, file{name: "b"}, file{name: "a"})
}

// Ensure that the folder of a proxy survives its way through GOPROXY.
func TestProxyURL(t *testing.T) {
	f := func(folder, want string) {
		t.Helper()
		got := proxyURL(folder)
		require.Equal(t, want, got)
		require.False(t, strings.ContainsAny(got, ",| "))
		parsed, err := url.Parse(got)
		require.NoError(t, err)
		require.Equal(t, strings.TrimPrefix(folder, "/"), strings.TrimPrefix(parsed.Path, "/"))
	}
	f("/home/x", "file:///home/x")
	f("/a room, 100% full|x", "file:///a%20room%2C%20100%25%20full%7Cx")
	f("C:/Users/A B/kit", "file:///C:/Users/A%20B/kit")
}

// Ensure that of a cache those files are taken that a proxy serves, and nothing else.
func TestServed(t *testing.T) {
	cache := t.TempDir()
	for _, name := range []string{
		"m.org/x/@v/v1.0.0.mod", "m.org/x/@v/v1.0.0.info", "m.org/x/@v/v1.0.0.zip",
		"m.org/x/@v/v1.0.0.ziphash", "m.org/x/@v/v1.0.0.lock", "m.org/x/@v/list", "sumdb/s.org/latest", "vcs/x.info",
	} {
		path := filepath.Join(cache, filepath.FromSlash(name))
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, nil, 0o644))
	}
	files, err := served(cache)
	require.NoError(t, err)
	var names []string
	for _, f := range files {
		names = append(names, f.name)
	}
	require.Equal(t, []string{
		"kit/modules/m.org/x/@v/v1.0.0.info", "kit/modules/m.org/x/@v/v1.0.0.mod", "kit/modules/m.org/x/@v/v1.0.0.zip",
	}, names)
	_, err = served(t.TempDir())
	require.Error(t, err)
}

// Ensure that kit.sh leads go to the modules beside it, from shells that say where it is and from those that do
// not, and that it says so when it cannot.
func TestKitSh(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a room, 100% full|x")
	modules := filepath.Join(dir, "kit", "modules")
	require.NoError(t, os.MkdirAll(modules, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "kit.sh"), []byte(shellText), 0o644))
	f := func(shell, from, script string) string {
		t.Helper()
		if _, err := exec.LookPath(shell); err != nil {
			t.Logf("no %s here", shell)
			return proxyURL(modules) + "\n" + filepath.Join(dir, "bin")
		}
		c := exec.CommandContext(t.Context(), shell, "-c", script+`; printf '%s\n%s' "$GOPROXY" "${PATH%%:*}"`)
		c.Dir, c.Env = from, []string{"PATH=" + os.Getenv("PATH")}
		out, err := c.CombinedOutput()
		require.NoError(t, err, "%s", out)
		return string(out)
	}
	want := proxyURL(modules) + "\n" + filepath.Join(dir, "bin")
	require.Equal(t, want, f("sh", dir, ". ./kit.sh"))
	require.Equal(t, want, f("bash", dir, ". ./kit.sh"))
	require.Equal(t, want, f("zsh", dir, ". ./kit.sh"))
	require.Equal(t, want, f("bash", t.TempDir(), ". '"+dir+"/kit.sh'"))
	require.Contains(t, f("sh", t.TempDir(), ". '"+dir+"/kit.sh'"), "cd to the folder of kit.sh first")
}

// Ensure that the texts of every system are filled in, that a page to begin with is one screen, and that Windows
// can read them.
func TestTexts(t *testing.T) {
	k := &kit{revision: strings.Repeat("1", 40), goFound: "go1.26.8", goNeeded: "go1.26.0"}
	for _, system := range systems {
		goos, goarch, _ := strings.Cut(system, "/")
		names := map[string]string{}
		for _, f := range k.texts(goos, goarch) {
			names[f.name] = f.text
			require.NotContains(t, f.text, "<no value>")
			require.Equal(t, goos == "windows", strings.Contains(f.text, "\r\n"), f.name)
			require.Equal(t, goos == "windows", strings.Count(f.text, "\r\n") == strings.Count(f.text, "\n"), f.name)
		}
		start := names["START.txt"]
		require.LessOrEqual(t, strings.Count(start, "\n"), 45, "one screen")
		for line := range strings.Lines(start) {
			require.LessOrEqual(t, len(line), 90+1, line)
		}
		require.Contains(t, start, "go1.26.0 or later")
		require.Contains(t, names["kit/GO.txt"], "Go is not in this archive.")
		require.Contains(t, names["kit/GO.txt"], "go1.26.8."+goos+"-"+goarch+".")
		require.Contains(t, names, map[bool]string{true: "kit.cmd", false: "kit.sh"}[goos == "windows"])
	}
}

// Ensure that a system that no kit is for is refused by name.
func TestUnknownSystem(t *testing.T) {
	_, _, err := (&kit{}).build(t.Context(), "plan9/386", t.TempDir())
	require.ErrorContains(t, err, "is none of linux/amd64")
}
