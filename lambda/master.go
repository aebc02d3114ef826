package lambda

import (
	"cmp"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// The master dataset is a folder of immutable Parquet files, each a half-open range of offsets of
// one partition:
//
//	master/date=2026-11-22/hour=23/p003-00000000000000001200-00000000000000002400.parquet
//
// The folder is the UTC hour in which the first event of the file was appended to the log. A file
// holds nothing from after that hour, but where append times go back, something from before it.
// The name alone says what a file covers; nothing else has to be kept anywhere.

// A segment is one file of the master dataset: the offsets [first, end) of a partition.
type segment struct {
	path       string
	partition  int
	first, end int64 // first < end
}

func (c Config) masterDir() string { return filepath.Join(c.Dir, "master") }

// masterTmp is where ingest writes aside; on the same file system as the master dataset.
func (c Config) masterTmp() string { return filepath.Join(c.Dir, "tmp") }

// segmentPath returns the final path of a segment whose first event was appended at t (Unix ms).
func (c Config) segmentPath(partition int, first, end, t int64) string {
	at := time.UnixMilli(t).UTC()
	return filepath.Join(c.masterDir(),
		"date="+at.Format(time.DateOnly), "hour="+at.Format("15"), segmentName(partition, first, end))
}

func segmentName(partition int, first, end int64) string {
	return fmt.Sprintf("p%03d-%020d-%020d.parquet", partition, first, end)
}

// parseSegment is the inverse of segmentName; false for any other file.
func parseSegment(path string) (segment, bool) {
	s := segment{path: path}
	name := filepath.Base(path)
	if _, err := fmt.Sscanf(name, "p%d-%d-%d.parquet", &s.partition, &s.first, &s.end); err != nil {
		return s, false
	}
	return s, s.first < s.end && name == segmentName(s.partition, s.first, s.end)
}

// scanMaster lists the segments on disk, by partition. A master dataset that does not exist yet
// is empty.
func (c Config) scanMaster() (map[int][]segment, error) {
	segments := map[int][]segment{}
	err := filepath.WalkDir(c.masterDir(), func(path string, e fs.DirEntry, err error) error {
		switch {
		case os.IsNotExist(err):
			return nil
		case err != nil:
			return err
		}
		if s, ok := parseSegment(path); ok && !e.IsDir() {
			segments[s.partition] = append(segments[s.partition], s)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("scan master dataset: %w", err)
	}
	return segments, nil
}

// longestChain returns the segments that lead from offset first without gap or overlap as far as
// possible, in log order.
//
// Usually that is all of them. Two writers of one partition, one of which does not know yet that
// it has lost the partition, may leave segments that overlap. Each is right, since its content is
// a function of its range, so any chain is right; the longest one has the property that a segment
// more never moves its end back.
func longestChain(segments []segment, first int64) []segment {
	// By descending start; of equal starts the shortest first, so that of two equally long ways
	// the one with the greater steps is found last and kept.
	segments = slices.Clone(segments)
	slices.SortFunc(segments, func(a, b segment) int {
		return cmp.Or(cmp.Compare(b.first, a.first), cmp.Compare(a.end, b.end))
	})
	type step struct {
		segment segment
		reach   int64 // the end of the longest chain that begins with segment
	}
	from := map[int64]step{}
	for _, s := range segments {
		reach := max(s.end, from[s.end].reach)
		if reach >= from[s.first].reach {
			from[s.first] = step{s, reach}
		}
	}
	var chain []segment
	for next, ok := from[first]; ok; next, ok = from[next.segment.end] {
		chain = append(chain, next.segment)
	}
	return chain
}

// chainStart returns where the chain of a partition begins: its lowest offset. That is not 0 when
// the log had already been cut when ingest first met it.
func chainStart(segments []segment) int64 {
	return slices.MinFunc(segments, func(a, b segment) int {
		return cmp.Compare(a.first, b.first)
	}).first
}

// chainEnd returns the exclusive end of a chain, or its start when it is empty.
func chainEnd(chain []segment, start int64) int64 {
	if len(chain) == 0 {
		return start
	}
	return chain[len(chain)-1].end
}
