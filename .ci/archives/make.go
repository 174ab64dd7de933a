package main

import (
	"archive/zip"
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// makeArchives writes a zip for each function and processor, as Lambda takes it, and their checksums. The same sources
// give the same bytes.
func makeArchives() error {
	target := filepath.Join(root, ".artifacts", "archives")
	if err := os.RemoveAll(target); err != nil {
		return err
	}
	if err := os.MkdirAll(target, 0o755); err != nil {
		return err
	}
	folders, err := filepath.Glob(filepath.Join(root, "functions", "*", "bootstrap"))
	if err != nil || len(folders) == 0 {
		return fmt.Errorf("no bootstrap was found: %v", err)
	}
	var sums strings.Builder
	for _, folder := range folders {
		name := filepath.Base(filepath.Dir(folder))
		for _, architecture := range []string{"arm64", "amd64"} {
			file := fmt.Sprintf("pim-functions-%s-linux-%s.zip", name, architecture)
			program, err := build("./functions/"+name+"/bootstrap", architecture)
			if err != nil {
				return err
			}
			if err := writeZip(filepath.Join(target, file), program); err != nil {
				return err
			}
			text, err := os.ReadFile(filepath.Join(target, file))
			if err != nil {
				return err
			}
			fmt.Fprintf(&sums, "%x  %s\n", sha256.Sum256(text), file)
		}
	}
	fmt.Print(sums.String())
	return os.WriteFile(filepath.Join(target, "SHA256SUMS"), []byte(sums.String()), 0o644)
}

// build builds a program for Lambda.
func build(folder, architecture string) ([]byte, error) {
	scratch, err := os.MkdirTemp("", "bootstrap")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(scratch)
	program := filepath.Join(scratch, "bootstrap")
	command := exec.Command("go", "build", "-trimpath", "-tags=lambda.norpc", "-ldflags=-s -w", "-o", program, folder)
	command.Dir, command.Stderr = root, os.Stderr
	command.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+architecture)
	if err := command.Run(); err != nil {
		return nil, fmt.Errorf("build %s: %w", folder, err)
	}
	return os.ReadFile(program)
}

// writeZip writes an archive that holds an executable named bootstrap, without a date.
func writeZip(name string, program []byte) (err error) {
	file, err := os.Create(name)
	if err != nil {
		return err
	}
	defer func() {
		if closed := file.Close(); err == nil {
			err = closed
		}
	}()
	archive := zip.NewWriter(file)
	header := &zip.FileHeader{Name: "bootstrap", Method: zip.Deflate}
	header.SetMode(0o755)
	entry, err := archive.CreateHeader(header)
	if err != nil {
		return err
	}
	if _, err := entry.Write(program); err != nil {
		return err
	}
	return archive.Close()
}
