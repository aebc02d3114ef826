package fleetreport

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"

	"github.com/parquet-go/parquet-go"

	"lambdakappa/view"
)

// A file is one file of the dataset: the offsets [first, end) of a partition.
type file struct {
	path       string
	partition  int
	first, end int64
}

// listFiles returns the files that count, by partition and in log order: the longest chain that
// begins at the lowest offset.
func listFiles(dir string) (map[int][]file, error) {
	found := map[int][]file{}
	root := filepath.Join(dir, "master")
	err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		switch gone := errors.Is(err, fs.ErrNotExist); {
		case gone && path == root:
			return fmt.Errorf("there is no master/ in %s: give the --dir of 'lambda ingest' or "+
				"'kappa sink'", dir)
		case gone: // who keeps it for a while only has removed it meanwhile
			return nil
		}
		f := file{path: path}
		name := filepath.Base(path)
		if n, _ := fmt.Sscanf(name, "p%d-%d-%d.parquet", &f.partition, &f.first, &f.end); n == 3 {
			found[f.partition] = append(found[f.partition], f)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	for partition, files := range found {
		found[partition] = chain(files)
	}
	return found, nil
}

// chain returns the files that lead from the lowest offset without gap or overlap as far as they
// do: of every file it finds the best way on, from the last one back.
func chain(files []file) []file {
	slices.SortFunc(files, func(a, b file) int {
		return cmp.Or(cmp.Compare(b.first, a.first), cmp.Compare(a.end, b.end))
	})
	best, reach := map[int64]file{}, map[int64]int64{}
	for _, f := range files {
		if to := max(f.end, reach[f.end]); to >= reach[f.first] {
			best[f.first], reach[f.first] = f, to
		}
	}
	var way []file
	for f, ok := best[files[len(files)-1].first]; ok; f, ok = best[f.end] {
		way = append(way, f)
	}
	return way
}

// facts are what the metadata of a file says, as far as it is needed here.
type facts struct {
	MaxEventTime int64         `json:"max_event_time"`
	NewestAppend int64         `json:"newest_append"`
	Counters     view.Counters `json:"counters"`
}

// A meter counts what is read from a file.
type meter struct {
	io.ReaderAt
	bytes *atomic.Int64
}

func (m meter) ReadAt(p []byte, at int64) (int, error) {
	n, err := m.ReaderAt.ReadAt(p, at)
	m.bytes.Add(int64(n))
	return n, err
}

// read hands the row groups of a file to each, and returns what its metadata says.
func (f file) read(bytes *atomic.Int64, each func(*columns) error) (about facts, err error) {
	opened, err := os.Open(f.path)
	if err != nil {
		return about, err
	}
	defer func() { err = errors.Join(err, opened.Close()) }()
	info, err := opened.Stat()
	if err != nil {
		return about, err
	}
	p, err := parquet.OpenFile(meter{opened, bytes}, info.Size(),
		parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
	if err != nil {
		return about, fmt.Errorf("%s: %w", f.path, err)
	}
	text, _ := p.Lookup("segment")
	if err := json.Unmarshal([]byte(text), &about); err != nil {
		return about, fmt.Errorf("%s: metadata segment: %w", f.path, err)
	}
	for _, group := range p.RowGroups() {
		c, err := readColumns(group)
		if err == nil {
			err = each(c)
		}
		if err != nil {
			return about, fmt.Errorf("%s: %w", f.path, err)
		}
	}
	return about, nil
}
