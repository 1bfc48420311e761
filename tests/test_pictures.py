"""Pictures that a page holds become files: which, where, and which of them stay."""

from base64 import b64encode

from coursebuild.pictures import forget_pictures, take_out_pictures

SVG = b"<svg xmlns='http://www.w3.org/2000/svg'/>"
PNG = b"\x89PNG..."


def held(kind, data):
    return f'"data:image/{kind};base64,{b64encode(data).decode()}"'


def test_each_picture_is_one_file_that_all_pages_name(tmp_path):
    body = (
        '<figure class="course-figure" id="fig-a"><style>img {}</style><picture>'
        f"<source srcset={held('svg+xml', SVG)}>"
        f"<img src={held('svg+xml', SVG)}></picture></figure><img src={held('png', PNG)}>"
    )
    made = take_out_pictures(body, tmp_path / "_images", "../_images/")
    files = {path.suffix: path for path in (tmp_path / "_images").iterdir()}
    assert {suffix: path.read_bytes() for suffix, path in files.items()} == {
        ".svg": SVG,
        ".png": PNG,
    }
    svg, png = (f"../_images/{files[suffix].name}" for suffix in (".svg", ".png"))
    assert made == (
        f'<figure class="course-figure" id="fig-a"><picture><source srcset="{svg}">'
        f'<img src="{svg}"></picture></figure><img src="{png}">'
    )


def test_text_that_only_speaks_of_data_is_left(tmp_path):
    body = "<code>data:image/png;base64,abc</code><style>p {}</style>"
    assert take_out_pictures(body, tmp_path, "") == body


def test_only_what_no_page_names_is_removed(tmp_path):
    body = take_out_pictures(f"<img src={held('png', PNG)}>", tmp_path, "../_images/")
    (tmp_path / "figure-0123.svg").write_bytes(SVG)
    (tmp_path / "other.png").write_bytes(PNG)
    forget_pictures([body], tmp_path)
    names = {path.name for path in tmp_path.iterdir()}
    assert "figure-0123.svg" not in names and len(names) == 2 and "other.png" in names
