package pimtest

import (
	"bytes"
	"fmt"
	"hash/fnv"
	"image"
	"image/color"
	"image/png"
	"mime"
	"net/http"
	"path"
	"strings"
)

// serveMedia answers GET /media-files/{code}/download. A code holds slashes.
func (p *PIM) serveMedia(w http.ResponseWriter, r *http.Request) {
	if refused := p.authorize(r); refused != nil {
		refused.write(w)
		return
	}
	code, download := strings.CutSuffix(r.PathValue("code"), "/download")
	p.mu.Lock()
	name, known := p.catalogue.MediaFiles[code]
	known = known && !p.faults.hidden[code]
	p.mu.Unlock()
	if !known {
		(&refusal{status: http.StatusNotFound, Message: fmt.Sprintf("Media file %q does not exist.", code)}).write(w)
		return
	}
	kind := mime.TypeByExtension(path.Ext(name))
	if !download {
		writeJSON(w, http.StatusOK, map[string]any{"code": code, "original_filename": name, "mime_type": kind, "extension": strings.TrimPrefix(path.Ext(name), ".")})
		return
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
	_, _ = w.Write(content(code)) // the caller is gone
}

// content is a picture of one colour, the file's own.
func content(code string) []byte {
	hash := fnv.New32a()
	_, _ = hash.Write([]byte(code)) // never fails
	sum := hash.Sum32()
	picture := image.NewPaletted(image.Rect(0, 0, 64, 64), color.Palette{color.RGBA{uint8(sum), uint8(sum >> 8), uint8(sum >> 16), 255}})
	var text bytes.Buffer
	if err := png.Encode(&text, picture); err != nil {
		panic(err) // cannot happen: a buffer
	}
	return text.Bytes()
}
