package main

import (
	"archive/zip"
	"bytes"
	"debug/elf"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The test's own executable is one that is not stripped.
func TestWhatKeepsAnExecutableFromLambda(t *testing.T) {
	own, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(own)
	if err != nil {
		t.Fatal(err)
	}
	file, err := elf.NewFile(bytes.NewReader(text))
	if err != nil {
		if got := executableProblems(text, elf.EM_X86_64); len(got) != 1 { // on another system
			t.Errorf("problems = %q, want one", got)
		}
		return
	}
	other := elf.EM_AARCH64
	if file.Machine == other {
		other = elf.EM_X86_64
	}
	if got := strings.Join(executableProblems(text, other), "; "); !strings.Contains(got, "not for "+other.String()) {
		t.Errorf("problems = %q, want another processor", got)
	}
	if got := executableProblems([]byte("!<arch>\n"), other); len(got) != 1 || got[0] != "is no ELF file" {
		t.Errorf("an object archive: problems = %q", got)
	}
}

func TestAnArchiveIsTheSameTwice(t *testing.T) {
	folder := t.TempDir()
	var texts [][]byte
	for _, name := range []string{"a.zip", "b.zip"} {
		path := filepath.Join(folder, name)
		if err := writeZip(path, []byte("program")); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, text)
	}
	if !bytes.Equal(texts[0], texts[1]) {
		t.Error("two archives of the same program differ")
	}
	archive, err := zip.NewReader(bytes.NewReader(texts[0]), int64(len(texts[0])))
	if err != nil || len(archive.File) != 1 || archive.File[0].Name != "bootstrap" || archive.File[0].Mode() != 0o755 {
		t.Errorf("archive %+v, %v", archive.File, err)
	}
}
