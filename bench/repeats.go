package bench

import (
	"fmt"
	"strings"
)

// repeats says which records of a topic say what earlier ones have said.
type repeats struct {
	count int
	spans []repeatedSpan
}

// A repeatedSpan is records of one partition that follow each other and say what earlier ones have said: a batch that was
// appended twice is one span, and a transaction that took effect twice is one per partition.
type repeatedSpan struct {
	partition                 int
	first, last               int64 // offsets
	firstEarlier, lastEarlier int64 // offsets of what the first and the last of them repeat
}

// add notes that the record at an offset says what the one at earlier has said. Records are added in the order of a
// partition. Between two of a span there may be marks of transactions, and records that were given up.
func (r *repeats) add(partition int, offset, earlier int64, follows bool) {
	r.count++
	if n := len(r.spans); follows && n > 0 && r.spans[n-1].partition == partition {
		r.spans[n-1].last, r.spans[n-1].lastEarlier = offset, earlier
		return
	}
	r.spans = append(r.spans, repeatedSpan{partition, offset, offset, earlier, earlier})
}

// maxSpans is how many spans a note names.
const maxSpans = 3

// note says where in a topic they are.
func (r *repeats) note(what, topic string) string {
	var where []string
	for _, s := range r.spans[:min(maxSpans, len(r.spans))] {
		where = append(where, fmt.Sprintf("%s/%d: offsets %d to %d, as %d to %d before", topic, s.partition, s.first, s.last,
			s.firstEarlier, s.lastEarlier))
	}
	if more := len(r.spans) - len(where); more > 0 {
		where = append(where, fmt.Sprintf("and %d more such spans", more))
	}
	return fmt.Sprintf("%s: %d: %s", what, r.count, strings.Join(where, "; "))
}
