package main

import (
	"archive/tar"
	"archive/zip"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"time"
)

// A file is an entry of an archive: a file of this machine, or a text.
type file struct {
	name       string // with slashes, below top
	path       string // "" for a text
	text       string
	executable bool
}

// content opens the file. The caller closes it.
func (f file) content() (io.ReadCloser, int64, error) {
	if f.path == "" {
		return io.NopCloser(strings.NewReader(f.text)), int64(len(f.text)), nil
	}
	open, err := os.Open(f.path)
	if err != nil {
		return nil, 0, err
	}
	info, err := open.Stat()
	if err != nil {
		return nil, 0, errors.Join(err, open.Close())
	}
	return open, info.Size(), nil
}

func (f file) mode() fs.FileMode {
	if f.executable {
		return 0o755
	}
	return 0o644
}

// An archive takes files one after the other.
type archive interface {
	// begin returns what the content of the next file is written to.
	begin(name string, mode fs.FileMode, size int64, at time.Time) (io.Writer, error)
	io.Closer
}

// writeArchive writes the files, sorted by name and all of one time: the same files make the same archive. It
// appears under its name when it is whole.
func writeArchive(to string, files []file, at time.Time, kind func(io.Writer) archive) (int64, error) {
	slices.SortFunc(files, func(a, b file) int { return strings.Compare(a.name, b.name) })
	for i := 1; i < len(files); i++ {
		if files[i].name == files[i-1].name {
			return 0, fmt.Errorf("%s: is there twice", files[i].name)
		}
	}
	part := to + ".part"
	out, err := os.Create(part)
	if err != nil {
		return 0, err
	}
	a := kind(out)
	for _, f := range files {
		if err = pack(a, f, at); err != nil {
			err = fmt.Errorf("pack %s: %w", f.name, err)
			break
		}
	}
	if err = errors.Join(err, a.Close()); err == nil {
		err = out.Sync()
	}
	info, statErr := out.Stat()
	if err = errors.Join(err, statErr, out.Close()); err != nil {
		return 0, errors.Join(err, os.Remove(part))
	}
	return info.Size(), os.Rename(part, to)
}

func pack(a archive, f file, at time.Time) error {
	content, size, err := f.content()
	if err != nil {
		return err
	}
	defer content.Close()
	w, err := a.begin(path.Join(top, f.name), f.mode(), size, at)
	if err != nil {
		return err
	}
	_, err = io.Copy(w, content)
	return err
}

// A tarball is a .tar.gz.
type tarball struct {
	*tar.Writer
	packed *gzip.Writer
}

func newTar(w io.Writer) archive {
	packed := gzip.NewWriter(w)
	return tarball{tar.NewWriter(packed), packed}
}

func (t tarball) begin(name string, mode fs.FileMode, size int64, at time.Time) (io.Writer, error) {
	return t.Writer, t.WriteHeader(&tar.Header{
		Typeflag: tar.TypeReg, Name: name, Mode: int64(mode), Size: size, ModTime: at,
	})
}

func (t tarball) Close() error { return errors.Join(t.Writer.Close(), t.packed.Close()) }

// A zipball is a .zip, which Windows unpacks by itself.
type zipball struct{ *zip.Writer }

func newZip(w io.Writer) archive { return zipball{zip.NewWriter(w)} }

func (z zipball) begin(name string, mode fs.FileMode, _ int64, at time.Time) (io.Writer, error) {
	h := &zip.FileHeader{Name: name, Method: zip.Deflate, Modified: at}
	if strings.HasSuffix(name, ".zip") {
		h.Method = zip.Store // a module is packed already
	}
	h.SetMode(mode)
	return z.CreateHeader(h)
}
