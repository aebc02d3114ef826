//bench:only kappa-archived
package kappa

import (
	"cmp"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// The archive is what the sink leaves behind the one pipeline: folders of immutable Parquet files,
// each a half-open range of input offsets of one partition.
//
//	master/date=2026-11-22/hour=23/p003-00000000000000001200-00000000000000002400.parquet
//	windows/version=v1/date=2026-11-22/hour=23/p003-….parquet
//
// master/ holds events, in the layout of docs/archive-layout.md, which is that of Lambda's master
// dataset: whoever reads one reads the other. windows/ holds the rows of closed windows, a dataset
// of its own per version.
//
// The name alone says what a file covers; nothing else has to be kept anywhere. And as what a file
// holds is a function of its range, it does not matter who has written it, or how often.

// A segment is one file of a dataset: the input offsets [first, end) of a partition.
type segment struct {
	path       string
	partition  int
	first, end int64 // first < end
}

func (c Config) masterDir() string  { return filepath.Join(c.Dir, "master") }
func (c Config) windowsDir() string { return filepath.Join(c.Dir, "windows", "version="+c.Version) }

// archiveTmp is where the sink writes aside; on the same file system as the datasets.
func (c Config) archiveTmp() string { return filepath.Join(c.Dir, "tmp") }

// segmentPath returns the final path of a segment of a dataset whose folder is that of the hour of
// t (append time, Unix ms).
func segmentPath(dataset string, partition int, first, end, t int64) string {
	at := time.UnixMilli(t).UTC()
	return filepath.Join(dataset,
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

// scanDataset lists the segments of a dataset, by partition. One that does not exist yet is empty.
func scanDataset(dir string) (map[int][]segment, error) {
	segments := map[int][]segment{}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
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
		return nil, fmt.Errorf("scan archive: %w", err)
	}
	return segments, nil
}

// longestChain returns the segments that lead from the lowest offset of a partition without gap or
// overlap as far as possible, in log order.
//
// Usually that is all of them. Two writers of one partition, one of which does not know yet that
// it has lost the partition, may leave segments that overlap. Any chain of them is right, and the
// longest one has the property that a segment more never moves its end back.
func longestChain(segments []segment) []segment {
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
		if reach := max(s.end, from[s.end].reach); reach >= from[s.first].reach {
			from[s.first] = step{s, reach}
		}
	}
	if len(segments) == 0 {
		return nil
	}
	var chain []segment
	for next, ok := from[segments[len(segments)-1].first]; ok; next, ok = from[next.segment.end] {
		chain = append(chain, next.segment)
	}
	return chain
}

// chainEnd returns the exclusive end of a chain, or start when it is empty.
func chainEnd(chain []segment, start int64) int64 {
	if len(chain) == 0 {
		return start
	}
	return chain[len(chain)-1].end
}
