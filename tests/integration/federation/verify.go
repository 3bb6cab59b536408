// SPDX-License-Identifier: Apache-2.0

// Verify asks golang.org/x/mod what it thinks of a log: its checkpoint, that it continues an older
// one, and that some entries are in it. It prints the proofs it found in the log's tiles.
//
// Words: the log's address, its key, a file with the older checkpoint, indices of entries.
package main

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height = 8

type tiles struct{ url string }

func (t tiles) Height() int { return height }

func (t tiles) SaveTiles([]tlog.Tile, [][]byte) {}

func (t tiles) ReadTiles(wanted []tlog.Tile) ([][]byte, error) {
	var found [][]byte
	for _, tile := range wanted {
		// Go has the height in its paths, C2SP does not.
		path := strings.Replace(tile.Path(), fmt.Sprintf("tile/%d/", height), "tile/", 1)
		data, err := t.get(path)
		if err != nil {
			return nil, err
		}
		found = append(found, data)
	}
	return found, nil
}

func (t tiles) get(path string) ([]byte, error) {
	answer, err := http.Get(t.url + "/" + path)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", path, answer.Status)
	}
	return io.ReadAll(answer.Body)
}

func (t tiles) entry(index, size int64) ([]byte, error) {
	tile := tlog.Tile{H: height, L: -1, N: index >> height, W: 1 << height}
	if left := size - tile.N<<height; left < int64(tile.W) {
		tile.W = int(left)
	}
	path := strings.Replace(tile.Path(), fmt.Sprintf("tile/%d/data", height), "tile/entries", 1)
	data, err := t.get(path)
	for skipped := index & (1<<height - 1); err == nil; skipped-- {
		length := int(binary.BigEndian.Uint16(data))
		if skipped == 0 {
			return data[2 : 2+length], nil
		}
		data = data[2+length:]
	}
	return nil, err
}

func opened(data []byte, verifier note.Verifier) (tlog.Tree, int) {
	signed, err := note.Open(data, note.VerifierList(verifier))
	check(err)
	lines := strings.Split(signed.Text, "\n")
	size, err := strconv.ParseInt(lines[1], 10, 64)
	check(err)
	root, err := tlog.ParseHash(lines[2])
	check(err)
	return tlog.Tree{N: size, Hash: root}, len(signed.UnverifiedSigs)
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func main() {
	log.SetFlags(0)
	served := tiles{os.Args[1]}
	verifier, err := note.NewVerifier(os.Args[2])
	check(err)
	before, err := os.ReadFile(os.Args[3])
	check(err)
	now, err := served.get("checkpoint")
	check(err)

	old, _ := opened(before, verifier)
	tree, strangers := opened(now, verifier)
	reader := tlog.TileHashReader(tree, served)

	root, err := tlog.TreeHash(tree.N, reader)
	check(err)
	if root != tree.Hash {
		log.Fatal("the tiles have another root")
	}
	growth, err := tlog.ProveTree(tree.N, old.N, reader)
	check(err)
	check(tlog.CheckTree(growth, tree.N, tree.Hash, old.N, old.Hash))

	entries := map[string]tlog.RecordProof{}
	for _, word := range os.Args[4:] {
		index, err := strconv.ParseInt(word, 10, 64)
		check(err)
		data, err := served.entry(index, tree.N)
		check(err)
		proof, err := tlog.ProveRecord(tree.N, index, reader)
		check(err)
		check(tlog.CheckRecord(proof, tree.N, tree.Hash, index, tlog.RecordHash(data)))
		entries[word] = proof
	}
	check(json.NewEncoder(os.Stdout).Encode(map[string]interface{}{
		"strangers": strangers, "growth": growth, "entries": entries,
	}))
}
