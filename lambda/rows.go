package lambda

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/parquet-go/parquet-go"
)

// rowChunk is how many rows go to and from the Parquet library at once: it transposes them into
// columns, which one row at a time is slow.
const rowChunk = 1024

// writeParquet writes the rows that rows emits to a new file.
func writeParquet[T any](path string, rows func(emit func(T))) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	w := parquet.NewGenericWriter[T](file)
	chunk := make([]T, 0, rowChunk)
	var failed error
	flush := func() {
		if failed == nil {
			_, failed = w.Write(chunk)
		}
		chunk = chunk[:0]
	}
	rows(func(row T) {
		if chunk = append(chunk, row); len(chunk) == cap(chunk) {
			flush()
		}
	})
	flush()
	if err := errors.Join(failed, w.Close(), file.Close()); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

// readParquet hands every row of a small file to each, in order. A row is valid until each returns.
func readParquet[T any](path string, each func(*T) error) error {
	return withParquet(path, func(f *parquetFile) error {
		reader := parquet.NewGenericReader[T](f.File)
		defer reader.Close()
		chunk := make([]T, rowChunk)
		for {
			n, err := reader.Read(chunk)
			for i := range chunk[:n] {
				if err := each(&chunk[i]); err != nil {
					return err
				}
			}
			if errors.Is(err, io.EOF) {
				return nil
			}
			if err != nil {
				return err
			}
		}
	})
}

// scanFile reads the named columns of a file (see parquetFile.scan).
func scanFile(path string, names []string, each func(*columnBatch) error) error {
	return withParquet(path, func(f *parquetFile) error { return f.scan(names, each) })
}

// withParquet opens a file for the time of read. Every error names the file.
//
// A file that was damaged behind our back may make the decoder panic: that is an error like any
// other damage.
func withParquet(path string, read func(f *parquetFile) error) (err error) {
	f, err := openParquet(path)
	if err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("damaged: %v", r)
		}
		if err = errors.Join(err, f.file.Close()); err != nil {
			err = fmt.Errorf("read %s: %w", path, err)
		}
	}()
	return read(f)
}
