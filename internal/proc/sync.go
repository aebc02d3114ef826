package proc

import (
	"errors"
	"fmt"
	"os"
)

// Sync makes the content of a file, or the entries of a folder, durable: it returns when the disk
// has them. Windows cannot be asked for a folder, and keeps its entries in a journal of its own;
// there Sync of a folder only looks whether it exists.
func Sync(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("sync: %w", err)
	}
	flag := os.O_RDWR // Windows flushes nothing by a handle that only reads
	if info.IsDir() {
		if !syncsFolders {
			return nil
		}
		flag = os.O_RDONLY
	}
	f, err := os.OpenFile(path, flag, 0)
	if err != nil {
		return fmt.Errorf("sync: %w", err)
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("sync: %w", err)
	}
	return nil
}
