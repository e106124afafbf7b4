in vec3 R; in vec2 U;
uniform sampler2D image; uniform int material; uniform float cut_below; uniform int fringe;
void main() {
    if ((material == 1 || material == 2) && texture(image, U).a < .5) discard;
    if (material == 3 || material == 8) discard;
    if (material == 9 && garment_depth(R) < 0.) discard;
    if (material == 10 && headwear_depth(R) < 0.) discard;
    if (material == 2 && (headwear_depth(R) > 0. || (headwear == 1 && R.y > 7.55) || strand_ends(R, U, cut_below, fringe))) discard;
}
