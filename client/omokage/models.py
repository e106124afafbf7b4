"""The server's models that recipes call, with what is taken from each. docs/protocol.md describes their inputs. Those in STREAMED
give several answers to one request, each with some of the outputs."""

OUTPUTS: dict[str, tuple[str, ...]] = {
    "about": ("about",),
    "encode_person": ("identity", "appearance", "shape", "texture", "points", "report"),
    "face_analysis": ("points", "landmarks", "box", "shape", "texture", "report"),
    "character": ("identity", "appearance", "shape", "texture"),
    "face_expression": ("expressive_shape",),
    "face_light": ("lit_texture",),
    "face_overlay": ("overlaid_texture",),
    "encode_prompt": ("states", "mask", "text_kv", "report"),
    "context_face0": ("text_kv",),
    "context_face_makeup": ("id_kv", "pose_kv"),
    "context_crossfaceid": ("id_kv", "pose_kv"),
    "context_guided": ("guided_text_kv", "guided_id_kv"),
    "condition_pose": ("condition", "laid", "cover", "matte"),
    "denoise_step": ("guided",),
    "denoise_step_pose": ("guided",),
    "controlnet_pose": ("control_0", "control_1", "control_2", "control_3", "control_middle"),
    "unet": ("prediction",),
    "unet_gradient": ("loss", "text_gradient", "id_gradient", "attention"),
    "face_detector": (
        *("cls_8", "cls_16", "cls_32", "obj_8", "obj_16", "obj_32"),
        *("bbox_8", "bbox_16", "bbox_32", "kps_8", "kps_16", "kps_32"),
    ),
    "face_landmarks": ("landmarks",),
    "person_mask": ("mask",),
    "face_texture": ("texture",),
    "identity_encoder": ("identity",),
    "appearance_encoder": ("appearance",),
    "vae_encoder": ("latent",),
    "vae_decoder": ("picture",),
    "harmonizer": ("fused",),
    "face_parsing": ("parts",),
    "publisher": ("image", "likeness"),
    "finish": ("image", "likeness"),
    "denoiser": ("step", "steps", "clean", "latent"),
    "portrait": ("image", "likeness", "report"),
    "portrait_stream": ("step", "steps", "preview", "image", "likeness", "report"),
}
STREAMED: dict[str, tuple[str, ...]] = {"denoiser": (), "portrait_stream": ("words",)}
"""Those that answer in a stream; and what, beside the name of the job, they want of a request that only gives a job up."""
